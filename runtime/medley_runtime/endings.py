"""The ways in which a worker ends before its work is done. Each has its exit code; its text is for people."""

from __future__ import annotations


class Ending(Exception):
    """The worker cannot go on; the message is one line for people."""

    exit_code = 1


class TrainingFailed(Ending):
    """The reference training cannot give a result that may be trusted."""

    exit_code = 1


class BadLaunch(Ending):
    """The launch document is missing, of an unknown version, or not valid."""

    exit_code = 2


class RendezvousFailed(Ending):
    """The workers of the gang did not find each other."""

    exit_code = 3


class NoWeights(Ending):
    """There is no checkpoint that the reference server could serve."""

    exit_code = 5


class CannotListen(Ending):
    """The port that a server was given cannot be had."""

    exit_code = 6


class Left(Ending):
    """The gang goes on without this worker: it is over, and has neither failed nor done all of the work."""

    exit_code = 7


class AttemptClosed(Ending):
    """The API takes nothing more for this attempt: it was cancelled, replaced or is over."""

    exit_code = 4


class CommandNotExecutable(Ending):
    """The user's command is there and the system refuses to execute it."""

    exit_code = 126


class CommandNotFound(Ending):
    """No program of the name in the user's command."""

    exit_code = 127


class Stopped(Ending):
    """The training was asked to end, and has saved what it could."""

    exit_code = 143
