"""A process group over TCP: rank 0 holds one connection to each other rank. Just what the bridge uses of torch."""

from __future__ import annotations

import os
import pickle
import socket
import struct
import time
from typing import Any

# Of each peer by rank: on rank 0 all others, on the others rank 0.
_PEERS: dict[int, socket.socket] | None = None
_RANK, _SIZE = 0, 1


def is_available() -> bool:
    return True


def is_initialized() -> bool:
    return _PEERS is not None


def get_rank() -> int:
    return _RANK


def get_world_size() -> int:
    return _SIZE


def init_process_group(patience: float = 60.0) -> None:
    """Meets the others at MASTER_ADDR:MASTER_PORT as RANK of WORLD_SIZE."""
    global _PEERS, _RANK, _SIZE
    _RANK, _SIZE = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    address = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
    peers = {}
    if _RANK == 0:
        with socket.create_server(address, backlog=_SIZE) as server:
            server.settimeout(patience)
            while len(peers) < _SIZE - 1:
                peer, _ = server.accept()
                peers[_receive(peer)] = peer
    else:
        peer = _connect(address, patience)
        _send(peer, _RANK)
        peers[0] = peer
    _PEERS = peers


def broadcast_object_list(box: list[Any], src: int = 0, group: Any = None) -> None:
    """Every rank gets what rank 0 has in the box."""
    assert src == 0 and group is not None and _PEERS is not None
    if _RANK == 0:
        for _, peer in sorted(_PEERS.items()):
            _send(peer, box)
    else:
        box[:] = _receive(_PEERS[0])


def new_group(backend: str) -> str:
    return backend


def _connect(address: tuple[str, int], patience: float) -> socket.socket:
    end = time.monotonic() + patience
    while True:
        try:
            peer = socket.create_connection(address, timeout=patience)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return peer
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _send(peer: socket.socket, what: Any) -> None:
    data = pickle.dumps(what)
    peer.sendall(struct.pack("<I", len(data)) + data)


def _receive(peer: socket.socket) -> Any:
    (length,) = struct.unpack("<I", _exactly(peer, 4))
    return pickle.loads(_exactly(peer, length))


def _exactly(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = peer.recv(count - len(data))
        if not part:
            raise ConnectionError("a rank has left the group")
        data += part
    return data
