"""Ask what a JSON file says, in a process that a test may kill; run as a script."""

import json
import resource
import sys
from pathlib import Path

from workbench.claude import AnswerStore, ClaudeClient, ClaudeRequest, Origin
from workbench.errors import ClaudeError


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    if job.get("file_limit_bytes"):
        limit = job["file_limit_bytes"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    requests = [ClaudeRequest(**fields) for fields in job["requests"]]
    client = ClaudeClient(
        origin=Origin.SIMULATED,
        store=AnswerStore(job["store"]),
        base_url=job["url"],
        concurrency=job["concurrency"],
    )
    try:
        answers = client.ask(requests)
    except ClaudeError as err:
        sys.stdout.write(f"{type(err).__name__}: {err}\n")
        sys.exit(2)
    sys.stdout.write(f"{len(answers)} answers\n")


if __name__ == "__main__":
    main()
