"""mlserver's REST server: what we keep of it, and our routes."""

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import Response
from mlserver.errors import InferenceError
from mlserver.handlers import ModelRepositoryHandlers
from mlserver.metrics.server import MetricsServer
from mlserver.rest import RESTServer
from mlserver.settings import Settings

from serve.server.inference import LeasedDataPlane
from serve.server.model.saved_model import SavedModel
from serve.server.protocols import http_limits, open_inference
from serve.server.protocols.json_http import answered, json_of, tell_errors
from serve.server.protocols.tensorflow_serving import TensorFlowServing
from serve.server.registry import Registry

# Of mlserver's routes. The others load and unload models, show pages that take scripts from
# elsewhere, or answer in streams.
_KEPT = {
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/{model_name}",
    "/v2/models/{model_name}/versions/{model_version}",
    "/v2/models/{model_name}/ready",
    "/v2/models/{model_name}/versions/{model_version}/ready",
}


class LimitedRESTServer(RESTServer):
    """Both protocols by REST."""

    def __init__(self, settings: Settings, data_plane: LeasedDataPlane, registry: Registry):
        super().__init__(settings, data_plane, ModelRepositoryHandlers(None, registry))
        self._leased = data_plane
        routes = self._app.router.routes
        routes[:] = [route for route in routes if getattr(route, "path", "") in _KEPT]
        for path in ("/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer"):
            self._app.add_route(path, self._infer, methods=["POST"])
        TensorFlowServing(data_plane, registry).add_routes(self._app)
        tell_errors(self._app)

    async def _infer(self, request: Request) -> Response:
        """Answers a request of the Open Inference Protocol."""
        body = json_of(await request.body())
        name, version = request.path_params["name"], request.path_params.get("version")
        request_id = body.get("id", "")
        if not isinstance(request_id, str):
            raise InferenceError("id: expected a text")
        outputs: list[str] = []

        def read(model: SavedModel) -> np.ndarray:
            outputs.extend(open_inference.outputs_of(body.get("outputs"), model))
            return open_inference.images_of(body.get("inputs"), model)

        answer = await self._leased.answer(name, version, read)
        content = {
            "model_name": name,
            "model_version": answer.version,
            "outputs": open_inference.tensors(open_inference.arrays(answer.logits, outputs)),
        }
        return answered(content | ({"id": request_id} if request_id else {}), answer.version)

    async def start(self) -> None:
        """Serves until `stop`."""
        settings = self._settings
        config = http_limits.config(self._app, settings.host, settings.http_port)
        self._server = http_limits.Server(config)
        await self._server.serve()


class LimitedMetricsServer(MetricsServer):
    """The page for Prometheus and nothing else."""

    def _get_app(self) -> FastAPI:
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        app.add_route(self._settings.metrics_endpoint, self._endpoint.handle_metrics)
        return app

    async def start(self) -> None:
        """Serves until `stop`."""
        settings = self._settings
        config = http_limits.config(self._app, settings.host, settings.metrics_port)
        self._server = http_limits.Server(config)
        await self._server.serve()
