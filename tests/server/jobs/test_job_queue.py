"""Which job is next, without threads."""

from __future__ import annotations

from typing import Any

from bigviz.server.jobs.job_queue import LONG, Job, JobQueue, Want


def want(key: str, **how: bool) -> Want:
    return Want(key, lambda cancel: key, lambda outcome: None, **how)


def started(queue: JobQueue) -> list[Any]:
    """The keys of the jobs that may start now, which go on running."""
    return [job.key for job in iter(queue.start, None)]


def end(queue: JobQueue, job: Job | None) -> list[Want]:
    assert job is not None
    queue.stop(job)
    return queue.close(job)


def one_at_a_time(queue: JobQueue) -> list[Any]:
    keys = []
    while (job := queue.start()) is not None:
        keys.append(job.key)
        end(queue, job)
    return keys


def test_owners_take_turns_and_prefetched_tiles_come_last():
    queue = JobQueue(1)
    queue.replace("a", 0, [want("a1"), want("a2"), want("a3", later=True)])
    queue.replace("b", 0, [want("b1"), want("b2", later=True)])
    assert queue.waiting == 5
    assert one_at_a_time(queue) == ["a1", "b1", "a2", "b2", "a3"]
    assert queue.waiting == queue.running == 0


def one_by_one(queue: JobQueue, jobs: int, seconds: float) -> list[str]:
    """The owners of so many jobs, as the first letters of their keys, each of so many seconds."""
    found = []
    for _ in range(jobs):
        job = queue.start()
        assert job is not None
        found.append(job.key[0])
        queue.stop(job, seconds)
        queue.close(job)
    return found


def test_who_used_least_lately_comes_first():
    queue = JobQueue(1)
    queue.replace("a", 0, [want(f"a{k}") for k in range(90)])
    assert one_by_one(queue, 20, 1.0) == ["a"] * 20
    queue.replace("b", 0, [want(f"b{k}") for k in range(10)])
    assert one_by_one(queue, 12, 1.0) == ["b"] * 10 + ["a"] * 2


def test_many_connections_are_one_share():
    queue = JobQueue(1, lambda owner: owner[0])
    for number in range(5):
        queue.replace(f"m{number}", 0, [want(f"m{number}-{k}") for k in range(20)])
    queue.replace("o", 0, [want(f"o{k}") for k in range(10)])
    assert one_by_one(queue, 20, 1.0).count("o") == 10


def test_followers_get_every_fourth_job_while_others_wait():
    queue = JobQueue(1)
    for number in range(10):
        queue.follow(f"n{number}", True)
        queue.replace(f"n{number}", 0, [want(f"n{number}-{k}") for k in range(8)])
    queue.replace("o", 0, [want(f"o{k}") for k in range(30)])
    owners = one_by_one(queue, 40, 0.01)
    assert owners.count("o") == 30
    assert one_by_one(queue, 20, 0.01) == ["n"] * 20
    queue.forget("n0")
    queue.follow("n1", False)
    assert queue._followers == {f"n{number}" for number in range(2, 10)}


def test_looks_in_vain_take_no_turn_from_followers():
    """One whose next heavy job is wanted as each ends: while it runs, the other worker looks for a job and may start
    none, so that every other look alone finds one."""
    queue = JobQueue(2)
    queue.follow("f", True)
    queue.replace("f", 0, [want("f", heavy=True)])
    queue.replace("o", "first", [want("o", heavy=True)])
    keys = []
    for number in range(8):
        job = queue.start()
        assert job is not None
        keys.append(job.key)
        queue.replace("o", number, [want(f"o{number}", heavy=True)])
        assert queue.start() is None
        end(queue, job)
    assert "f" in keys[:4]


def test_equal_wants_share_a_job_that_lives_as_long_as_one_of_them():
    queue = JobQueue(1)
    mine, yours = want("tile"), want("tile")
    queue.replace("a", 0, [mine])
    queue.replace("b", 0, [yours])
    assert queue.waiting == 1
    job = queue.start()
    assert job is not None and queue.start() is None
    queue.drop("a", 0)
    assert not job.cancel.cancelled and end(queue, job) == [yours]


def test_a_newer_list_keeps_what_both_want_and_gives_up_the_rest():
    queue = JobQueue(2)
    queue.replace("a", 0, [want("old"), want("both")])
    running = queue.start()
    assert running is not None and running.key == "old"
    queue.replace("a", 0, [want("new"), want("both")])
    assert running.cancel.cancelled and queue.waiting == 2
    assert end(queue, running) == [], "nobody hears of it"
    assert started(queue) == ["new", "both"]


def test_heavy_jobs_leave_a_worker_and_long_ones_take_none():
    queue = JobQueue(2)
    queue.replace("a", 0, [want(f"heavy {k}", heavy=True) for k in range(2)])
    queue.replace("b", 0, [want(f"long {k}", long=True) for k in range(LONG + 1)])
    queue.replace("c", 0, [want("tile")])
    assert queue.startable == 2 + LONG
    assert sorted(started(queue)) == ["heavy 0", *(f"long {k}" for k in range(LONG)), "tile"]
    assert (queue.running, queue.waiting, queue.startable) == (2 + LONG, 2, 0)


def test_a_single_worker_runs_heavy_jobs_too():
    queue = JobQueue(1)
    queue.replace("a", 0, [want("heavy", heavy=True)])
    assert started(queue) == ["heavy"]


def test_what_does_not_read_is_given_nothing_new():
    queue = JobQueue(2)
    queue.replace("a", 0, [want("a1")])
    queue.replace("b", 0, [want("b1")])
    queue.pause("a", True)
    assert started(queue) == ["b1"]
    queue.pause("a", False)
    assert started(queue) == ["a1"]


def test_who_leaves_is_not_kept_for_what_still_runs():
    queue = JobQueue(2, lambda owner: "all")
    queue.replace("a", 0, [want("one")])
    job = queue.start()
    assert job is not None
    queue.forget("a")
    queue.stop(job, 1.0)
    assert job.owner is None and "a" not in queue._used.amounts and not queue._running


def test_who_leaves_takes_all_along():
    queue = JobQueue(2)
    queue.replace("a", 0, [want("one")])
    queue.replace("a", 1, [want("two")])
    job = queue.start()
    queue.forget("a")
    assert job is not None and job.cancel.cancelled and queue.waiting == 0 and started(queue) == []


def test_a_tile_waits_for_no_brush_but_those_that_run():
    """Half of the workers run steps of brushes, of those in turn who used least; tiles have the others, and come first
    wherever they come."""
    queue = JobQueue(4)
    for number in range(5):
        queue.replace(f"b{number}", 0, [want(f"b{number}", brush=True)])
    running = [queue.start(), queue.start()]
    assert queue.start() is None and [job.key for job in running if job] == ["b0", "b1"]
    queue.replace("o", 0, [want(f"o{number}") for number in range(3)])
    tiles = [queue.start(), queue.start()]
    assert queue.start() is None and [job.key for job in tiles if job] == ["o0", "o1"]
    end(queue, running[0])
    assert started(queue) == ["o2"]
    end(queue, tiles[0])
    assert started(queue) == ["b2"]
    queue.replace("o", 0, [want("later", later=True)])
    end(queue, running[1])
    assert started(queue) == ["b3"]
    end(queue, tiles[1])
    assert started(queue) == ["later"]


def test_brushes_have_a_quarter_of_the_time_while_others_wait():
    queue = JobQueue(1)
    for number in range(20):
        queue.replace(f"b{number}", 0, [want(f"b{number}", brush=True)])
    queue.replace("o", 0, [want(f"o{number}") for number in range(60)])
    owners = one_by_one(queue, 40, 1.0)
    assert owners.count("b") == 10 and owners[0] == "o"
    assert one_by_one(queue, 40, 1.0).count("b") == 10
    queue.replace("b", 0, [want("b", brush=True)])
    queue.replace("o", 0, [want(f"o{number}") for number in range(9)])
    assert one_by_one(queue, 10, 0.01) == ["o"] * 9 + ["b"], "nothing is saved up before"
