"""Room that is promised to the first in the queue, and who may use it until then."""
