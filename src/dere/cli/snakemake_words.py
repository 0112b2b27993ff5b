"""Commands that hand what stands after ``--`` on to Snakemake."""

from __future__ import annotations

import click


class SnakemakeCommand(click.Command):
    """A command whose words after ``--`` are not its own; `words` returns them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words before ``--`` and keep the others.

        Raises
        ------
        click.UsageError
            For an unknown option, which is Snakemake's more often than a mistake.
        """
        own = args[: args.index("--")] if "--" in args else list(args)
        ctx.meta[__name__] = tuple(args[len(own) + 1 :])
        try:
            return super().parse_args(ctx, own)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"{error.format_message()} Options of Snakemake stand after --, as in {ctx.command_path} -- -n", ctx
            ) from None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return what stands after the name in the usage."""
        return [*super().collect_usage_pieces(ctx), "[-- WORDS FOR SNAKEMAKE]"]


def words(ctx: click.Context) -> tuple[str, ...]:
    """Return what stood after ``--``."""
    found: tuple[str, ...] = ctx.meta[__name__]
    return found
