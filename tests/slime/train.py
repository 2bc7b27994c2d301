"""Stands in for slime's train.py: the same processes, lines, files and hooks under Ray, and nothing learned.

It takes slime's arguments, waits for GPUs that need not exist, starts actors under slime's names, calls hooks with
slime's signatures, prints slime's lines, saves in slime's layout and resumes from it. It has no model: numbers are made
up, though the learning rate and the temperature show in them. It does not check arguments, does not shard anything, has
one trainer actor and one scheduler a node, knows no critic, no async mode, no fault tolerance.

    STANDIN_SECONDS=1             about so long takes a rollout
    STANDIN_RANKS=1               trainer actors on each node
    STANDIN_SCHEDULERS=1          processes named like SGLang's schedulers on each node
    STANDIN_LEAK=1                every other engine leaves a process behind that outlives its parents; 0: none
    STANDIN_FAIL_AT=12:exit       in rollout 12, once per --save: the trainer exits, or oom, hang, nan; or an engine
"""

import sys

import ray
from ray.job_config import JobConfig
from standin import STUB, arguments, checkpoint, placement
from standin.rollout import RolloutManager
from standin.trainer import MegatronTrainRayActor


def due(rollout: int, interval: int | None) -> bool:
    return interval is not None and (rollout + 1) % interval == 0


def main() -> None:
    args = arguments.parse(sys.argv[1:])
    # Workers load classes by value, and what those name may come before this package.
    ray.init(job_config=JobConfig(_py_driver_sys_path=[STUB]))
    group, nodes = placement.wait(args)
    manager = RolloutManager.options(num_cpus=1).remote(args, group, nodes)
    ray.get(manager.start.remote())
    actors = placement.spread(MegatronTrainRayActor, group, nodes, args.ranks, share=0.4)
    where = ray.get(actors[0].address.remote())
    starts = ray.get([actor.init.remote(args, rank, len(actors), where) for rank, actor in enumerate(actors)])
    assert len(set(starts)) == 1
    first = args.start_rollout_id if args.start_rollout_id is not None else starts[0]
    ray.get(manager.load.remote(first - 1))

    def everywhere(method: str, *arguments: object) -> list:
        return ray.get([getattr(actor, method).remote(*arguments) for actor in actors])

    ray.get(manager.update_weights.remote(everywhere("update_weights")[0]))
    for rollout in range(first, args.num_rollout):
        if rollout == 0 and args.eval_interval and not args.skip_eval_before_train:
            ray.get(manager.eval.remote(rollout))
        data = ray.get(manager.generate.remote(rollout))
        everywhere("train", rollout, data)
        if args.save and (due(rollout, args.save_interval) or rollout == args.num_rollout - 1):
            everywhere("save_model", rollout)
            checkpoint.finish(args, rollout)
            ray.get(manager.save.remote(rollout))
        ray.get(manager.update_weights.remote(everywhere("update_weights")[0]))
        if due(rollout, args.eval_interval):
            ray.get(manager.eval.remote(rollout))
    ray.get(manager.dispose.remote())


if __name__ == "__main__":
    main()
