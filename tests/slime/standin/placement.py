"""Where actors go: slime's placement group, its waiting lines and its list of bundles."""

import argparse
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from .lines import log

# Address of a node, and the bundles on it.
Nodes = list[tuple[str, list[int]]]


def wait(args: argparse.Namespace) -> tuple[PlacementGroup, Nodes]:
    """Waits as long as it takes, and says so every 30 seconds."""
    actors = args.actor_num_nodes * args.actor_num_gpus_per_node
    count = max(actors, args.rollout_num_gpus) if args.colocate else actors + args.rollout_num_gpus
    log("placement_group.py:136", f"Creating placement group with {count} GPUs...")
    group = placement_group([{"GPU": 1, "CPU": 1}] * count, strategy="PACK")
    ready, elapsed = group.ready(), 0
    while not ray.wait([ready], timeout=30)[0]:
        elapsed += 30
        total, free = (found.get("GPU", 0) for found in (ray.cluster_resources(), ray.available_resources()))
        log(
            "placement_group.py:64",
            f"Waiting for placement group of {count} GPUs (elapsed {elapsed}s): "
            f"{total:g} GPUs registered with Ray, {free:g} available.",
        )
    nodes = by_node(group)
    index = 0
    for address, bundles in nodes:
        # slime asks an actor in each bundle for its GPU; here they are counted.
        for gpu, bundle in enumerate(bundles):
            place = f"bundle {index:4}, actual_bundle_index: {bundle:4}, node: {address}, gpu: {gpu}"
            log("placement_group.py:92", f"  {place}")
            index += 1
    return group, nodes


def by_node(group: PlacementGroup) -> Nodes:
    """In the order of addresses, as slime sorts them."""
    addresses = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    found: dict[str, list[int]] = {}
    for bundle, node in sorted(placement_group_table(group)["bundles_to_node_id"].items()):
        found.setdefault(addresses[node], []).append(bundle)
    return sorted(found.items(), key=lambda node: [int(part) for part in node[0].split(".")])


def spread(actor: Any, group: PlacementGroup, nodes: Nodes, per_node: int, share: float) -> list[Any]:
    """So many actors on each node, in its first bundles."""
    return [
        actor.options(
            num_cpus=share,
            num_gpus=share,
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=bundle),
        ).remote()
        for _, bundles in nodes
        for bundle in bundles[:per_node]
    ]
