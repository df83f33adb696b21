"""What a command is: a function with its options, its help and an example.

Examples:
    >>> @command(example="sweep greet you")
    ... @click.argument("name", metavar="NAME")
    ... def greet(arguments: Arguments) -> int:
    ...     '''Greet somebody.'''
    ...     print("hello", arguments.name)
    ...     return 0
    >>> with greet.make_context("greet", ["you"]) as context:
    ...     arguments = greet.invoke(context)
    >>> arguments.run(arguments)
    hello you
    0
"""

import types
from collections.abc import Callable

import click

from sweep.cli import options


class Arguments(types.SimpleNamespace):
    """What a command line says: the values of a command's options, and ``run``, which does the command."""

    run: Callable[["Arguments"], int]
    debug: bool
    """Whether to print the traceback of an error."""


class Command(click.Command):
    """One command of ``sweep``; ``command`` makes it."""

    name: str
    one_of: tuple[str, ...] = ()
    """Names of parameters of which exactly one must be given."""
    not_together: str = ""
    """What to type if more than one of them is given."""
    follows_run_of: str = ""
    """Trainer after whose runs the command is proposed; it takes the study's name."""
    follows_export_of: str = ""
    """Trainer after whose exports the command is proposed; it takes the exported file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words after the command's name, and refuse what click alone would accept."""
        try:
            left = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # an option without its value knows none
            raise
        if not ctx.resilient_parsing:
            self._check_values(ctx)
            self._check_one_of(ctx)
        return left

    def invoke(self, ctx: click.Context) -> Arguments:
        """Return the arguments; doing the command is left to the caller."""
        debug = any(context.params.get("debug") for context in (ctx, ctx.parent) if context is not None)
        return Arguments(run=self.callback, **{**ctx.params, "debug": debug})

    def _check_values(self, ctx: click.Context) -> None:
        """Refuse an option in place of another one's value: in ``-o --force`` the file is missing."""
        given = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        names = {name for option in given for name in option.opts}
        for option in given:
            if ctx.params.get(option.name) in names:
                message = f"Option {option.opts[-1]!r} requires an argument."
                raise click.BadOptionUsage(option.name, message, ctx)

    def _check_one_of(self, ctx: click.Context) -> None:
        given = [name for name in self.one_of if ctx.params[name]]
        if self.one_of and len(given) != 1:
            params = {param.name: param for param in self.params}
            hints = [params[name].get_error_hint(ctx) for name in given or self.one_of]
            several = f"{' and '.join(hints)} are given, only one of them may be; {self.not_together}"
            raise click.UsageError(several if given else f"Give exactly one of {', '.join(hints)}.", ctx)


def command(
    name: str | None = None,
    *,
    example: str,
    explained: str = "",
    one_of: tuple[str, ...] = (),
    not_together: str = "",
    follows_run_of: str = "",
    follows_export_of: str = "",
) -> Callable[[Callable[[Arguments], int]], Command]:
    r"""Make a function that takes ``Arguments`` and returns the exit status a command of ``sweep``.

    The first line of its docstring is the command's help. The function imports what it needs, so that
    ``--help`` answers at once. Every command takes ``--storage`` and ``--files``.

    Args:
        name: The command; None takes the function's name, with ``-`` for ``_``.
        example: A command line that can be copied.
        explained: What the help says below its first line; below ``\b`` lines stay as they are.
        one_of: See ``Command``, as for the next three.
        not_together: A clause of the error message.
        follows_run_of: A trainer.
        follows_export_of: A trainer.
    """

    def decorate(run: Callable[[Arguments], int]) -> Command:
        does = (run.__doc__ or "").partition("\n")[0]
        made = click.command(
            name,
            cls=Command,
            help=f"{does}\n\n{explained}",
            short_help=does.removesuffix("."),
            epilog=f"\b\nExample:\n  {example}",
        )(run)
        made.one_of, made.not_together = one_of, not_together
        made.follows_run_of, made.follows_export_of = follows_run_of, follows_export_of
        return options.debug(options.stored(made))

    return decorate
