"""What a client may cost the server."""

MAX_BODY_BYTES = 16 * 2**20  # of a request by REST
MAX_BODIES_BYTES = 4 * MAX_BODY_BYTES  # of all requests by REST that are here at the same time
MAX_IMAGES = 1024  # of a request
MAX_REQUESTS = 256  # that wait for their answer at the same time
MAX_CONNECTIONS = 256  # by REST; by gRPC as many more
MAX_GRPC_CALLS = 64  # at the same time
MAX_GRPC_BYTES = 4 * 2**20  # of a message, gRPC's own default: each call may hold one several times
MAX_HEAD_BYTES = 16 * 2**10  # of the request line and the headers

HEAD_SECONDS = 5  # until a connection has sent the headers of its first or next request
BODY_SECONDS = 10  # until the body is here
ANSWER_SECONDS = 30  # until the model has answered
READ_SECONDS = 20  # that a client may leave what was sent to it
KEEP_ALIVE_SECONDS = 60  # that an idle connection is kept after an answer
GRPC_CONNECTION_SECONDS = 600  # then a client has to connect anew, which its library does by itself
GRPC_GRACE_SECONDS = 60  # for the calls that are then still open
DRAIN_SECONDS = 10  # for the requests that are here when the server is told to end
