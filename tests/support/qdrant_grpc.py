"""The gRPC stand-in for a Qdrant server, beside the REST one and over the same state. Messages are taken apart with the
vendor's own converters and recorded in the words of the REST API, so that one test reads both wires."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc as wire
from qdrant_client import grpc
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc

from tests.support.qdrant_engine import Recorded, Refusal, StandIn


@contextlib.contextmanager
def grpc_server(stand_in: StandIn, *, tls: wire.ServerCredentials | None = None) -> Generator[int]:
    """The port it answers on."""
    server = wire.server(ThreadPoolExecutor(4))
    services: tuple[Callable[[Any, Any], None], ...] = (
        grpc.add_PointsServicer_to_server,
        grpc.add_CollectionsServicer_to_server,
        grpc.add_QdrantServicer_to_server,
    )
    for add in services:
        add(_Service(stand_in), server)
    place = "127.0.0.1:0"
    port = server.add_insecure_port(place) if tls is None else server.add_secure_port(place, tls)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


Into = Callable[[Any], dict[str, Any]]
Out = Callable[[Any], Any]


class _Service:
    """Every method of the three services that the adapter uses; any other has no handler and fails."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            return None

        def handle(request: Any, context: wire.ServicerContext) -> Any:
            # Two services have a method Delete.
            method, into, out = _METHODS["Drop" if isinstance(request, grpc.DeleteCollection) else name]
            headers = {str(key): str(value) for key, value in context.invocation_metadata()}
            body = {key: value for key, value in into(request).items() if value is not None}
            collection = getattr(request, "collection_name", "")
            query = {"wait": "true"} if getattr(request, "wait", False) else {}
            try:
                return out(self._stand_in.answer(Recorded(method, collection, body, headers, query)))
            except Refusal as refusal:
                context.abort(getattr(wire.StatusCode, refusal.code), refusal.says)

        return handle


def _plain(model: Any) -> Any:
    return _said(model.model_dump(mode="json", exclude_none=True)) if hasattr(model, "model_dump") else model


def _said(value: Any) -> Any:
    """Without the empty lists that the converters write for what a message leaves unsaid."""
    if isinstance(value, dict):
        return {key: _said(each) for key, each in value.items() if each != []}
    return [_said(each) for each in value] if isinstance(value, list) else value


def _filter(request: Any, name: str = "filter") -> Any:
    return _plain(GrpcToRest.convert_filter(getattr(request, name))) if request.HasField(name) else None


def _shard(request: Any) -> Any:
    if not request.HasField("shard_key_selector"):
        return None
    return GrpcToRest.convert_shard_key_selector(request.shard_key_selector)


def _read(request: Any) -> dict[str, Any]:
    return {"filter": _filter(request), "shard_key": _shard(request)}


def _scroll(request: Any) -> dict[str, Any]:
    return {
        **_read(request),
        "limit": request.limit,
        "offset": GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None,
        "with_payload": _plain(GrpcToRest.convert_with_payload_selector(request.with_payload)),
        "with_vector": GrpcToRest.convert_with_vectors_selector(request.with_vectors),
    }


def _query(request: Any) -> dict[str, Any]:
    return {
        **_read(request),
        "query": _plain(GrpcToRest.convert_query(request.query)) if request.HasField("query") else None,
        "prefetch": [_plain(GrpcToRest.convert_prefetch_query(each)) for each in request.prefetch] or None,
        "using": request.using if request.HasField("using") else None,
        "limit": request.limit,
        "with_payload": _plain(GrpcToRest.convert_with_payload_selector(request.with_payload)),
        "with_vector": GrpcToRest.convert_with_vectors_selector(request.with_vectors),
    }


def _upsert(request: Any) -> dict[str, Any]:
    return {
        "points": [_plain(GrpcToRest.convert_point_struct(point)) for point in request.points],
        "shard_key": _shard(request),
        "update_filter": _filter(request, "update_filter"),
    }


def _delete(request: Any) -> dict[str, Any]:
    return {**_plain(GrpcToRest.convert_points_selector(request.points)), "shard_key": _shard(request)}


def _create(request: Any) -> dict[str, Any]:
    converted: dict[str, Any] = {"vectors": _plain(GrpcToRest.convert_vectors_config(request.vectors_config))}
    if request.HasField("hnsw_config"):
        converted["hnsw_config"] = _plain(GrpcToRest.convert_hnsw_config_diff(request.hnsw_config))
    if request.HasField("sharding_method"):
        converted["sharding_method"] = GrpcToRest.convert_sharding_method(request.sharding_method).value
    if request.HasField("strict_mode_config"):
        converted["strict_mode_config"] = _plain(GrpcToRest.convert_strict_mode_config(request.strict_mode_config))
    if request.HasField("sparse_vectors_config"):
        sparse = GrpcToRest.convert_sparse_vector_config(request.sparse_vectors_config)
        converted["sparse_vectors"] = {name: _plain(each) for name, each in sparse.items()}
    return converted


def _index(request: Any) -> dict[str, Any]:
    schema = _plain(GrpcToRest.convert_payload_schema_params(request.field_index_params))
    return {"field_name": request.field_name, "field_schema": schema}


def _facet(request: Any) -> dict[str, Any]:
    return {**_read(request), "key": request.key, "limit": request.limit, "exact": request.exact}


def _key(request: Any) -> dict[str, Any]:
    return {"shard_key": GrpcToRest.convert_shard_key(request.request.shard_key)}


def _nothing(request: Any) -> dict[str, Any]:
    return {}


def _updated(found: Any) -> Any:
    return grpc.PointsOperationResponse(
        result=grpc.UpdateResult(operation_id=found.operation_id, status=grpc.UpdateStatus.Completed)
    )


def _scrolled(found: Any) -> Any:
    following = found.next_page_offset
    return grpc.ScrollResponse(
        result=[RestToGrpc.convert_record(point) for point in found.points],
        next_page_offset=None if following is None else RestToGrpc.convert_extended_point_id(following),
    )


_METHODS: dict[str, tuple[str, Into, Out]] = {
    "HealthCheck": ("root", _nothing, lambda found: grpc.HealthCheckReply(title=found.title, version=found.version)),
    "List": (
        "list",
        _nothing,
        lambda found: grpc.ListCollectionsResponse(
            collections=[grpc.CollectionDescription(name=each["name"]) for each in found["collections"]]
        ),
    ),
    "CollectionExists": (
        "exists",
        _nothing,
        lambda found: grpc.CollectionExistsResponse(result=grpc.CollectionExists(exists=found["exists"])),
    ),
    "Get": (
        "info",
        _nothing,
        lambda found: grpc.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(found)),
    ),
    "Create": ("create", _create, lambda found: grpc.CollectionOperationResponse(result=found)),
    "Drop": ("drop", _nothing, lambda found: grpc.CollectionOperationResponse(result=found)),
    "Delete": ("delete", _delete, _updated),
    "CreateFieldIndex": ("index", _index, _updated),
    "Upsert": ("upsert", _upsert, _updated),
    "Scroll": ("scroll", _scroll, _scrolled),
    "Query": (
        "query",
        _query,
        lambda found: grpc.QueryResponse(result=[RestToGrpc.convert_scored_point(each) for each in found.points]),
    ),
    "Count": ("count", _read, lambda found: grpc.CountResponse(result=grpc.CountResult(count=found.count))),
    "Facet": (
        "facet",
        _facet,
        lambda found: grpc.FacetResponse(hits=[RestToGrpc.convert_facet_value_hit(each) for each in found.hits]),
    ),
    "ListShardKeys": (
        "shards",
        _nothing,
        lambda found: grpc.ListShardKeysResponse(
            shard_keys=[
                grpc.ShardKeyDescription(key=RestToGrpc.convert_shard_key(each["key"])) for each in found["shard_keys"]
            ]
        ),
    ),
    "CreateShardKey": ("create_shard", _key, lambda found: grpc.CreateShardKeyResponse(result=found)),
    "DeleteShardKey": ("delete_shard", _key, lambda found: grpc.DeleteShardKeyResponse(result=found)),
}
