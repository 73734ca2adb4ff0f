"""The command line: every command by its name, loaded when it is typed."""

import typer

from service.commands.lazily import LazyGroup
from service.commands.terminal import told
from service.plainly import plainly

main = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@main.callback()
def _yinxin() -> None:
    """Yinxin: identity, licences and e-seals for a city or a province."""


def run() -> None:
    """Run the command that was typed; what an operator can put right is told in a line."""
    with plainly(), told():
        main()
