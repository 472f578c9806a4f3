"""Documents and access in any order of calls, against a dictionary."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bigviz.common.errors import Forbidden, NotFound, OutOfDate
from bigviz.library.access import OPERATOR, Caller
from bigviz.library.documents import Put
from bigviz.library.library import Library

KEEP = 3
NAMES = st.sampled_from(["a", "b"])
USERS = st.sampled_from(["ann", "bob", "carl"])
CALLERS = st.one_of(USERS.map(Caller), st.sampled_from([Caller(), OPERATOR]))
EXPECT = st.one_of(st.none(), st.just("absent"), st.integers(1, 4))
RANK = [None, "viewer", "writer", "owner"]


@dataclass
class Model:
    """A document as the rules have it."""

    owner: str | None
    versions: dict[int, int] = field(default_factory=dict)  # to its value
    public: bool = False
    users: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> int:
        return max(self.versions)

    def role(self, caller: Caller) -> str | None:
        if caller.admin or (caller.user is not None and caller.user == self.owner):
            return "owner"
        return self.users.get(caller.user or "") or ("viewer" if self.public else None)

    def refusal(self, caller: Caller, role: str) -> type[Exception] | None:
        if (has := self.role(caller)) is None:
            return NotFound
        return Forbidden if RANK.index(has) < RANK.index(role) else None

    def put(self, value: int) -> Put:
        if self.versions[self.version] == value:
            return Put(self.version, False, False)
        self.versions[self.version + 1] = value
        self.versions = {n: v for n, v in self.versions.items() if n > self.version - KEEP}
        return Put(self.version, False, True)


class Documents(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.library = Library.open(Path(self.folder))
        self.models: dict[str, Model] = {}
        self.last: dict[str, int] = {}

    def teardown(self) -> None:
        self.library.close()
        shutil.rmtree(self.folder)

    def asked(self, call: Any, *args: Any, **options: Any) -> Any:
        """What a call answers: a value, or the class of its error."""
        try:
            return call(*args, **options)
        except (NotFound, Forbidden, OutOfDate) as error:
            return type(error)

    def refusal(self, name: str, caller: Caller, role: str, expect: Any = None) -> type[Exception] | None:
        model = self.models.get(name)
        if model is None:
            return NotFound
        wrong = OutOfDate if expect not in (None, model.version) else None
        return model.refusal(caller, role) or wrong

    @rule(name=NAMES, value=st.integers(0, 2), caller=CALLERS, expect=EXPECT)
    def put(self, name: str, value: int, caller: Caller, expect: Any) -> None:
        model = self.models.get(name)
        expected: Any = OutOfDate
        if model is None and expect in (None, "absent"):
            version = self.last.get(name, 0) + 1
            self.models[name] = Model(caller.user, {version: value})
            expected = Put(version, True, True)
        elif model is not None:
            expected = self.refusal(name, caller, "writer", expect) or model.put(value)
        options = {"title": "", "datasets": (), "author": caller.user, "keep": KEEP}
        put = self.library.documents.put
        assert self.asked(put, name, {"n": value}, **options, expect=expect, caller=caller) == expected

    @rule(name=NAMES, version=st.integers(1, 6), caller=CALLERS, expect=EXPECT)
    def restore(self, name: str, version: int, caller: Caller, expect: Any) -> None:
        expected: Any = self.refusal(name, caller, "writer", expect)
        if expected is None:
            model = self.models[name]
            expected = model.put(model.versions[version]) if version in model.versions else NotFound
        restore = self.library.documents.restore
        assert self.asked(restore, name, version, "x", keep=KEEP, expect=expect, caller=caller) == expected

    @rule(name=NAMES, caller=CALLERS, expect=EXPECT)
    def delete(self, name: str, caller: Caller, expect: Any) -> None:
        expected = self.refusal(name, caller, "owner", expect)
        if expected is None:
            self.last[name] = self.models.pop(name).version
        assert self.asked(self.library.documents.delete, name, expect=expect, caller=caller) == expected

    @rule(
        name=NAMES,
        public=st.booleans(),
        users=st.dictionaries(USERS, st.sampled_from(["viewer", "writer"])),
        by=CALLERS,
    )
    def give(self, name: str, public: bool, users: dict[str, str], by: Caller) -> None:
        expected = self.refusal(name, by, "owner")
        if expected is None:
            model = self.models[name]
            users = {user: role for user, role in users.items() if user != model.owner}
            model.public, model.users = public, users
        assert self.asked(self.library.access.set, "document", name, public, users, caller=by) == expected

    @invariant()
    def everybody_sees_what_they_may(self) -> None:
        for user in ("ann", "carl", None):
            caller = Caller(user)
            for name in ("a", "b"):
                model = self.models.get(name)
                assert self.library.access.role("document", name, user) == (model and model.role(caller))
            seen = [entry.name for entry in self.library.documents.page(caller, sort="name")[0]]
            assert seen == sorted(name for name, model in self.models.items() if model.role(caller))

    @invariant()
    def versions_are_there(self) -> None:
        for name, model in self.models.items():
            documents = self.library.documents
            versions = [each.version for each in documents.versions(name)]
            assert {n: documents.get(name, n).value["n"] for n in versions} == model.versions
            assert documents.entry(name).owner == model.owner


TestDocuments = Documents.TestCase
TestDocuments.settings = settings(max_examples=15, stateful_step_count=25)
