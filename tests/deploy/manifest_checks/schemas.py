"""Strict validation: no field that the API does not know, and none of the wrong type.

Kubernetes' own objects by its OpenAPI schemas, of the oldest and the newest version that Kaiku is for; an OpenShift Route by
OpenShift's OpenAPI; what operators define by types made from their definitions, through the TypeScript compiler.
"""

import functools
import gzip
import json
import re
import subprocess
from pathlib import Path

import jsonschema
import kubernetes_validate.utils

KUBERNETES = ["1.27", "1.37"]

# Kind: the module that has its type.
TYPES = {
    "ServiceMonitor": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor",
    "PrometheusRule": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule",
    "Certificate": "@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate",
    "Issuer": "@kubernetes-models/cert-manager/cert-manager.io/v1/Issuer",
    "HTTPRoute": "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute",
}

# Each call of the library reads megabytes of JSON.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def kubernetes_complaints(thing):
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as wrong:
            yield f"Kubernetes {version}: {'.'.join(map(str, wrong.path))}: {wrong.message}"
        except kubernetes_validate.SchemaNotFoundError as unknown:
            yield f"Kubernetes {version}: {unknown.message}"


class Route:
    """OpenShift's schema of a Route, made strict. What it calls required of the server's own making is not."""

    def __init__(self, specification):
        with gzip.open(specification, "rt") as file:
            definitions = json.load(file)["definitions"]
        for definition in definitions.values():
            if "properties" in definition:
                definition["additionalProperties"] = False
        made_by_server = {"Route": "status", "RouteSpec": "host"}
        for name, field in made_by_server.items():
            definitions[f"com.github.openshift.api.route.v1.{name}"]["required"].remove(field)
        schema = {"$ref": "#/definitions/com.github.openshift.api.route.v1.Route", "definitions": definitions}
        self.validator = jsonschema.Draft7Validator(schema)

    def complaints(self, thing):
        for wrong in self.validator.iter_errors(thing):
            yield f"OpenShift: {'.'.join(map(str, wrong.path))}: {wrong.message}"


def typed_complaints(things, packages):
    """What is wrong with each of the things, by its number, found by one run of the compiler for all of them."""
    folder = Path(packages)
    source = folder / "manifests.ts"
    lines = [f'import type {{ I{kind} }} from "{module}";' for kind, module in TYPES.items()]
    first = len(lines) + 1
    lines += [f"export const x{i}: I{x['kind']} = {json.dumps(x)};" for i, x in enumerate(things)]
    source.write_text("\n".join(lines) + "\n")
    options = "--noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext --target es2022 --pretty false"
    done = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", *options.split(), source.name],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = {}
    for line in done.stdout.splitlines():
        at = re.match(r"manifests\.ts\((\d+),\d+\): error TS\d+: (.*)", line)
        if at and int(at[1]) >= first:
            found.setdefault(int(at[1]) - first, []).append(at[2])
        elif not line.startswith(" "):  # what goes on with the line before
            raise RuntimeError(f"tsc: {line}")
    if done.returncode != 0 and not found:
        raise RuntimeError(f"tsc: exit code {done.returncode}: {done.stderr}")
    return found


def complaints(things, packages):
    """What is wrong with each of the things: a list for each. A thing that occurs often is looked at once."""
    texts = [json.dumps(x, sort_keys=True) for x in things]
    distinct = list(dict.fromkeys(texts))
    typed = [x for x in distinct if json.loads(x)["kind"] in TYPES]
    found = {typed[i]: what for i, what in typed_complaints([json.loads(x) for x in typed], packages).items()}
    route = Route(Path(packages) / "openshift-openapi-spec.json.gz")
    for text in distinct:
        thing = json.loads(text)
        if thing["kind"] == "Route":
            found[text] = list(route.complaints(thing))
        elif thing["kind"] not in TYPES:
            found[text] = list(kubernetes_complaints(thing))
    return [[f"{x['kind']}/{x['metadata']['name']}: {what}" for what in found.get(text, [])] for x, text in zip(things, texts)]
