"""The sandbox as a whole: started, reached over one loopback address, stopped.

The process that imports the handlers starts first; our own services are imported and made
meanwhile, hence the late import of `assembly`. Moto comes last: the sandbox listens already.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hub_toolkit.sandbox.identifiers import Place
from hub_toolkit.sandbox.intrinsics import TemplateError
from hub_toolkit.sandbox.listener import Listener
from hub_toolkit.sandbox.moto_store import MotoStore
from hub_toolkit.sandbox.shipped import CODE, modules
from hub_toolkit.sandbox.template import read_template
from hub_toolkit.sandbox.workers.process import Zygote

if TYPE_CHECKING:
    from hub_toolkit.sandbox.workers.pool import Pool

ACCOUNT = "111122223333"
REGION = "us-east-1"
STACK = "hub-responder"
TEMPLATE = "template.yaml"


class CannotStart(Exception):  # noqa: N818 - reads as the fact
    """The sandbox cannot start; the text says why and what to do."""


class Sandbox:
    """A running sandbox. Use it as a context manager, or call `close`.

    Attributes:
        endpoint: ``http://127.0.0.1:PORT``. region, account: what AWS calls the place.
        pool: the functions' processes.
    """

    endpoint: str
    pool: Pool

    region = REGION
    account = ACCOUNT

    def __init__(self, port: int, root: Path, speed: float, stage: str) -> None:
        self._closing = ExitStack()
        try:
            self._build(port, root.resolve(), speed, stage)
        except BaseException:
            self.close()
            raise

    @classmethod
    def start(
        cls, port: int = 0, root: Path = Path(), speed: float = 1.0, stage: str = "sandbox"
    ) -> Self:
        """Start everything and serve.

        Args:
            port: 0 takes a free one. root: the project, with template.yaml and playbooks/.
            speed: of the clock while nothing runs. stage: names settings, connections and secrets.

        Raises:
            CannotStart: the port is taken, or the template or a playbook is wrong.
        """
        try:
            return cls(port, root, speed, stage)
        except TemplateError as error:
            raise CannotStart(str(error)) from error
        except OSError as error:
            raise CannotStart(f"cannot listen on port {port}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything; no process, thread or file is left. May be called twice."""
        self._closing.close()

    def _build(self, port: int, root: Path, speed: float, stage: str) -> None:
        closing = self._closing
        template = read_template(root / TEMPLATE)
        zygote = Zygote(modules(root, template), [root / CODE])
        closing.callback(zygote.close)
        moto = MotoStore(ACCOUNT, REGION)
        closing.callback(moto.reset)
        listener = Listener(port)
        closing.callback(listener.stop)
        self.endpoint = listener.endpoint
        from hub_toolkit.sandbox.assembly import assemble

        place = Place(STACK, ACCOUNT, REGION, self.endpoint)
        assembled = assemble(
            closing,
            root,
            template,
            place=place,
            moto=moto,
            zygote=zygote,
            speed=speed,
            stage=stage,
        )
        self.pool = assembled.pool
        listener.start(assembled.app)
        moto.load()
