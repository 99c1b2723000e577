"""What was refused of queues and quotas, as problems."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.problems import Code, FieldError, Refusal, refuse
from api.web.failures import not_found
from scheduler.core.model.sharing.queue import BadTree, ContradictoryQuota
from scheduler.ports.directory import AlreadyExists, DoesNotExist, InUse


@contextmanager
def sharing_refused(missing: str, pointer: str = "") -> Iterator[None]:
    """Make problems of what the queues refuse; `missing` is what there is none of, `pointer` the offending field."""
    errors = (FieldError(pointer, "names something that is not there"),) if pointer else ()
    try:
        yield
    except DoesNotExist as error:
        if pointer:
            what = f"There is no {missing} {error.args[0]}."
            raise refuse(Code.UNKNOWN_REFERENCE, what, None, *errors) from None
        raise Refusal(not_found(missing)) from None
    except AlreadyExists as error:
        raise refuse(Code.ALREADY_EXISTS, f"{_sentence(error)}.", "use another name") from None
    except InUse as error:
        raise refuse(Code.IN_USE, f"It is used: {error.args[0]}.", "take away what uses it first") from None
    except BadTree as error:
        next_step = "`medley queue ls` shows the tree"
        raise refuse(Code.BAD_TREE, f"{_sentence(error)}.", next_step) from None
    except ContradictoryQuota as error:
        next_step = "`medley share` shows what is guaranteed to whom"
        raise refuse(Code.CONTRADICTORY_QUOTA, f"{_sentence(error)}.", next_step) from None


def _sentence(error: Exception) -> str:
    text = str(error.args[0])
    return text[:1].upper() + text[1:]
