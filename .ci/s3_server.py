"""An S3-compatible server on loopback: moto behind a lock.

moto looks whether an object exists and puts it in two steps; a real service does that in one. Here requests go one after
the other, so that a conditional put is atomic. Arguments: where to write the port, and the bucket to make.
"""

import os
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

port_file, bucket = sys.argv[1:]
moto = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()


def one_at_a_time(environ, start_response):
    with lock:
        return [b"".join(moto(environ, start_response))]


server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()

import boto3  # noqa: E402: what moto brings

address = f"http://127.0.0.1:{server.port}"
keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket=bucket)
with open(port_file + ".new", "w") as file:
    file.write(str(server.port))
os.rename(port_file + ".new", port_file)
threading.Event().wait()
