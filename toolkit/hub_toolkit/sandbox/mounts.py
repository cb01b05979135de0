"""Applications below one path, by the next part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub_toolkit.sandbox.wsgi import App, Environ, StartResponse, respond_error


class Mounts:
    """WSGI: hands ``/NAME/rest`` on to the application NAME, as ``/rest``.

    Args:
        apps: by name; it may be filled later.
        what: how the error names what is mounted here.
    """

    def __init__(self, apps: Mapping[str, App], what: str) -> None:
        self._apps = apps
        self._what = what

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name, slash, rest = str(environ["PATH_INFO"]).lstrip("/").partition("/")
        app = self._apps.get(name)
        if app is None:
            known = ", ".join(sorted(self._apps)) or "none"
            message = f"there is no {self._what} {name[:100]!r} here; there are: {known}"
            return respond_error(start_response, 404, message)
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{name}"
        environ["PATH_INFO"] = slash + rest
        return app(environ, start_response)
