"""`medley completion`: what makes a shell complete commands and options."""

from typing import Literal

from medley.exit_codes import ExitCode
from medley.screens.output import say, talk

Shell = Literal["bash", "zsh", "fish"]
_INTO: dict[Shell, str] = {
    "bash": "medley completion bash > ~/.local/share/bash-completion/completions/medley",
    "zsh": "medley completion zsh > a folder of $fpath, as _medley",
    "fish": "medley completion fish > ~/.config/fish/completions/medley.fish",
}


def completion(shell: Shell, /) -> int:
    """Print what makes a shell complete commands, options and their values."""
    from medley.main import build_app  # noqa: PLC0415 - that module calls this one

    script = build_app().generate_completion(prog_name="medley", shell=shell)
    # Where nothing of ours fits, such as a job file after `submit`, bash is to go on with the names of files.
    say(script.replace("complete -F", "complete -o bashdefault -o default -F"))
    talk(f"next: {_INTO[shell]}")
    return ExitCode.OK
