"""Run one benchmark by name."""

import argparse
import json
import sys
import time
from collections.abc import Callable

from bench import decision, first_way, kube_churn, kube_list, kube_start, kube_watch, ledger_load, memory
from bench.mixing import plan, plan_exact, plan_trials, predict_amp, predict_llama3, predict_memory, predict_sailor
from bench.queueing import explain, preempt, slurm, stuck, whatif
from bench.replay import command as replay
from bench.report import Measurement, document, exit_status
from bench.simulating import fairness, speed
from bench.trainings import checkpoint

BENCHMARKS: dict[str, Callable[[], Measurement]] = {
    "decision": decision.measure,
    "memory": memory.measure,
    "stuck": stuck.measure,
    "explain": explain.measure,
    "whatif": whatif.measure,
    "simulate": speed.measure,
    "fairness": fairness.measure,
    "preempt": preempt.measure,
    "ledger_load": ledger_load.measure,
    "first_way": first_way.measure,
    "checkpoint": checkpoint.measure,
    "plan": plan.measure,
    "plan_exact": plan_exact.measure,
    "kube_start": kube_start.measure,
    "kube_churn": kube_churn.measure,
    "kube_list": kube_list.measure,
    "kube_watch": kube_watch.measure,
    "predict_sailor": predict_sailor.measure,
    "predict_amp": predict_amp.measure,
    "predict_llama3": predict_llama3.measure,
    "predict_memory": predict_memory.measure,
    "plan_trials": plan_trials.measure,
}
WITH_OPTIONS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], Measurement]]]
WITH_OPTIONS = {
    "backfill": (slurm.add_options, slurm.measure),
    "replay": (replay.add_options, replay.measure),
}
"""Those with options of their own: how these are declared, and what runs with them."""


def main() -> int:
    """Run the named benchmark; print its JSON object on standard output and progress on standard error."""
    arguments = _parser().parse_args()
    start = time.monotonic()
    measurement = _measure(arguments)
    judged = document(arguments.name, measurement, time.monotonic() - start)
    print(json.dumps(judged, indent=None if arguments.json else 2))
    return exit_status(judged)


def _measure(arguments: argparse.Namespace) -> Measurement:
    if arguments.name in WITH_OPTIONS:
        return WITH_OPTIONS[arguments.name][1](arguments)
    return BENCHMARKS[arguments.name]()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    form = argparse.ArgumentParser(add_help=False)
    form.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    names = parser.add_subparsers(dest="name", required=True)
    for name in sorted({*BENCHMARKS, *WITH_OPTIONS}):
        benchmark = names.add_parser(name, parents=[form])
        if name in WITH_OPTIONS:
            WITH_OPTIONS[name][0](benchmark)
    return parser


if __name__ == "__main__":
    sys.exit(main())
