from dataclasses import dataclass

from bigviz.common.byte_cache import ByteCache


@dataclass(frozen=True)
class Thing:
    nbytes: int


def test_the_least_recently_used_leave_first() -> None:
    cache: ByteCache[Thing] = ByteCache(100)
    cache.put("a", Thing(40))
    cache.put("b", Thing(40))
    assert cache.get("a") == Thing(40)
    cache.put("c", Thing(40))
    assert cache.get("b") is None and cache.get("a") == Thing(40) and cache.get("c") == Thing(40)
    assert cache.nbytes == 80 and len(cache) == 2
    assert (cache.hits, cache.misses) == (3, 1)


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache: ByteCache[Thing] = ByteCache(100)
    cache.put("small", Thing(60))
    cache.put("large", Thing(101))
    assert cache.get("large") is None and cache.get("small") == Thing(60)


def test_a_thing_may_be_replaced_and_all_forgotten() -> None:
    cache: ByteCache[Thing] = ByteCache(100)
    cache.put("a", Thing(90))
    cache.put("a", Thing(20))
    assert cache.nbytes == 20
    cache.clear()
    assert cache.nbytes == 0 and len(cache) == 0
