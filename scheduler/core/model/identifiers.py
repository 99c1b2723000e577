"""Names of things. A group, attempt or worker is named by its job, so that a repeated call names the same thing."""

from dataclasses import dataclass

TenantName = str
ChipName = str
ClusterName = str
JobId = str
"""16 characters of a-z and 0-9, the first nine of which grow with time: ids sort by submission."""

NodeId = str
"""`cluster/node`: a node's name is unique in its cluster only."""

GroupId = str
AttemptId = str
WorkerName = str


def node_id(cluster: ClusterName, name: str) -> NodeId:
    """Return the id of a node; neither part may contain a slash."""
    return f"{cluster}/{name}"


def group_id(job: JobId, index: int) -> GroupId:
    """Return the id of a job's group; `index` counts from 0."""
    return f"{job}-g{index}"


def group_index(group: GroupId) -> int:
    """Return the index that `group_id` made a group's id of."""
    return int(group.rpartition("-g")[2])


def attempt_id(group: GroupId, number: int) -> AttemptId:
    """Return the id of a group's attempt; `number` counts from 1."""
    return f"{group}-a{number}"


def job_named_by(name: GroupId | AttemptId) -> JobId:
    """Return the job that a group's or an attempt's id begins with; job ids have no dash."""
    return name.partition("-")[0]


def worker_name(attempt: AttemptId, rank: int) -> WorkerName:
    """Return the name of a worker by its number (see WorkerKey): valid as a folder's and as a pod's name."""
    return f"{attempt}-r{rank}"


@dataclass(frozen=True, slots=True, order=True)
class WorkerKey:
    """One worker of one life of a gang."""

    attempt: AttemptId
    rank: int
    """Its number within the attempt (`Allocation.worker`): the rank, but for workers that came later."""

    @property
    def name(self) -> WorkerName:
        """The worker's name, a function of job, group, attempt and number."""
        return worker_name(self.attempt, self.rank)
