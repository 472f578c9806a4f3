"""`access` below a document or a dataset: who may see it, and do what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.library.access import ROLES
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler
from bigviz.server.documents.renewal import renew
from bigviz.server.documents.stored import require_free
from bigviz.server.request_values import choice

if TYPE_CHECKING:
    from bigviz.library.access import Role
    from bigviz.library.items import Kind

__all__ = ["DatasetAccess", "DocumentAccess"]


class _Access(ApiHandler):
    kind: ClassVar[Kind]

    async def answer(self, *args: str) -> None:
        (name,) = args
        require_free(self.site, self.kind, name)
        shelf = await self.site.shelf()
        self.write_json(await shelf.run(shelf.library.access.get, self.kind, name))
        self.finish()

    async def on_put(self, *args: str) -> None:
        (name,) = args
        public, users = self._wanted()
        require_free(self.site, self.kind, name)
        shelf = await self.site.shelf()
        access = shelf.library.access
        await shelf.run(access.set, self.kind, name, public, users, caller=self.principal.caller)
        await renew(self.site)
        self.write_json(await shelf.run(access.get, self.kind, name))
        self.finish()

    def _wanted(self) -> tuple[bool, dict[str, Role]]:
        value = self.value("public", "users")
        public, users = value["public"], value["users"]
        if not isinstance(public, bool):
            raise BadInput(f"public is true or false, got {echoed(public, 60)}.", "public")
        if not isinstance(users, dict):
            raise BadInput(f"users is an object of roles by user name, got {echoed(users, 60)}.", "users")
        roles = {name: cast("Role", choice(role, "users", ROLES)) for name, role in users.items()}
        return public, roles


class DocumentAccess(_Access):
    """`documents/NAME/access`: `{public, users: {NAME: role}}`."""

    need: ClassVar[Mapping[str, Need]] = {"GET": Need.document("owner"), "PUT": Need.document("owner", "write")}
    kind = "document"


class DatasetAccess(_Access):
    """`datasets/NAME/access`: the same."""

    need: ClassVar[Mapping[str, Need]] = {"GET": Need.dataset("owner"), "PUT": Need.dataset("owner", "write")}
    kind = "dataset"
