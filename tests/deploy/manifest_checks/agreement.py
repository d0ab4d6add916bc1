"""What in the manifests has to agree: names with what they name, options with the binary, ports, certificates, rules."""

import re

import yaml

import policy
from policy import check, contains, token_volumes
from rendering import NAME, ROLE

SECRETS = {"kaiku-peer-secret", "kaiku-auth", "kaiku-http-tls", "kaiku-peer-tls"}

@check("every variable is an option of kaikud, and every file that one names is mounted")
def options(r, product):
    given = {x["name"] for x in r.kaikud["env"]} | set(r.config)
    for name in sorted(given - product.variables):
        yield f"{name} is no option"
    for name in sorted(given & {"KAIKU_CLUSTER", "KAIKU_JOIN", "KAIKU_INSECURE"}):
        yield f"{name} is set for every pod"
    mounts = [x["mountPath"] for x in r.kaikud["volumeMounts"]]
    for name, value in r.config.items():
        path = value.removeprefix("unix://")
        if path.startswith("/") and not any(path == x or path.startswith(x + "/") for x in mounts):
            yield f"{name} is {value}, and nothing is mounted there"
        if re.search("PASSWORD|SECRET|TOKEN|KEY", name) and value and not path.startswith("/"):
            yield f"{name} is in the ConfigMap"


@check("listening for strangers is guarded: clients by tokens, members by a secret or certificates")
def guarded(r, _):
    if not r.config.get("KAIKU_AUTH_FILE"):
        yield "anybody may do everything"
    secret, certificates = r.config.get("KAIKU_PEER_SECRET_FILE"), r.config.get("KAIKU_PEER_TLS_CA")
    if bool(secret) == bool(certificates) or bool(certificates) != r.serves_tls:
        yield f"members prove themselves by {secret!r} and {certificates!r}"


@check("secrets are named, never held, and mounted for the group alone")
def secrets(r, _):
    if r.all("Secret"):
        yield "a Secret stands in the manifests"
    for volume in r.pod["volumes"]:
        if "secret" in volume:
            if volume["secret"]["secretName"] not in SECRETS:
                yield f"{volume['secret']['secretName']} is explained nowhere"
            if volume["secret"].get("defaultMode") != 0o440:
                yield f"{volume['name']} has the mode {volume['secret'].get('defaultMode')}: kaikud would refuse it, or can't read it"
            mounts = [x for one in r.containers for x in one["volumeMounts"] if x["name"] == volume["name"]]
            if len(mounts) != 1 or not mounts[0].get("readOnly"):
                yield f"{volume['name']} is mounted {len(mounts)} times, or to be written"
    for one in r.containers:
        for variable in one.get("env", []):
            if "valueFrom" in variable and "secretKeyRef" in variable["valueFrom"]:
                yield f"{variable['name']} holds a secret: the process's environment can be read"


@check("images have versions, and kaikud's is this one")
def images(r, product):
    for one in r.containers:
        name, _, tag = one["image"].partition(":")
        if not re.fullmatch(r"\d+\.\d+(\.\d+)?(-[a-z]+)?", tag):
            yield f"{one['name']} has the image {one['image']}"
        if one["name"] == "kaikud" and (name, tag) != ("kaiku", product.version):
            yield f"kaikud's image is {one['image']}, the version {product.version}"


@check("selectors match the pods, and ports have their names")
def selectors(r, _):
    spec = r.one("StatefulSet")["spec"]
    if not contains(r.labels, spec["selector"]["matchLabels"]):
        yield "the StatefulSet's selector"
    if ROLE in r.labels:
        yield "a pod begins with a role that it may not have"
    for service in r.all("Service"):
        selector = dict(service["spec"]["selector"])
        role = selector.pop(ROLE, None)
        if not contains(r.labels, selector) or (role and not r.labels_leader):
            yield f"Service {service['metadata']['name']} selects {service['spec']['selector']}"
        for port in service["spec"]["ports"]:
            if r.ports.get(port["targetPort"]) != port["port"]:
                yield f"Service {service['metadata']['name']} leads to port {port['targetPort']}"
            if port["name"] == "http" and port.get("appProtocol") != ("https" if r.serves_tls else "http"):
                yield f"Service {service['metadata']['name']} says that it is {port.get('appProtocol')}"


@check("what is named is there")
def references(r, _):
    maps = {x["metadata"]["name"] for x in r.all("ConfigMap")} | {"kube-root-ca.crt"}
    named = {x["configMap"]["name"] for x in r.pod["volumes"] if "configMap" in x}
    if not named | {y["configMapRef"]["name"] for y in r.kaikud["envFrom"]} <= maps:
        yield f"ConfigMaps {named - maps}"
    volumes = {x["name"] for x in r.pod["volumes"]} | {"data"}
    for one in r.containers:
        missing = {x["name"] for x in one["volumeMounts"]} - volumes
        if missing:
            yield f"{one['name']} mounts {missing}"
    services = {x["metadata"]["name"]: {y["name"]: y["port"] for y in x["spec"]["ports"]} for x in r.all("Service")}
    for service, port in backends(r):
        ports = services.get(service, {})
        if port not in (ports.values() if isinstance(port, int) else ports):
            yield f"nothing is at {service}:{port}"
    if not r.kaikud["command"][-1].startswith("/etc/kaiku/start/"):
        yield f"the command is {r.kaikud['command']}"


def backends(r):
    for ingress in r.all("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                yield path["backend"]["service"]["name"], path["backend"]["service"]["port"]["name"]
    for route in r.all("Route"):
        yield route["spec"]["to"]["name"], route["spec"]["port"]["targetPort"]
    for route in r.all("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                yield backend["name"], backend["port"]


@check("clients from outside come by one way, encrypted, and to whom they should")
def ways_in(r, _):
    expected = {"kubernetes/ingress": "Ingress", "kubernetes/gateway-api": "HTTPRoute", "openshift/edge": "Route", "openshift/passthrough": "Route"}
    found = [x["kind"] for x in r.objects if x["kind"] in {"Ingress", "HTTPRoute", "Route"}]
    if found != [x for x in [expected.get(r.overlay)] if x]:
        yield f"there are {found}"
    for route in r.all("Route"):
        variant = r.overlay.removeprefix("openshift/")
        insecure = {"edge": "Redirect", "passthrough": "None"}[variant]
        if route["spec"]["tls"] != {"termination": variant, "insecureEdgeTerminationPolicy": insecure}:
            yield f"the Route's TLS is {route['spec']['tls']}"
    for ingress in r.all("Ingress"):
        hosts = {y["host"] for y in ingress["spec"]["rules"]}
        if {y for x in ingress["spec"].get("tls", []) for y in x["hosts"]} != hosts:
            yield "the Ingress takes clients in clear text"
    for route in r.all("HTTPRoute"):
        ways = {(m.get("method", "any"), b["name"]) for x in route["spec"]["rules"] for m in x["matches"] for b in x["backendRefs"]}
        # The rest to whoever is ready: kaiku-leader has nobody during a failover.
        if ways != {("GET", "kaiku-reads"), ("HEAD", "kaiku-reads"), ("any", "kaiku")}:
            yield f"the HTTPRoute leads {ways}"
        if any(x.get("timeouts") != {"request": "0s"} for x in route["spec"]["rules"]):
            yield "the Gateway's own timeout cuts large files off"
    if r.serves_tls and any(x["kind"] != "Route" or x["spec"]["tls"]["termination"] != "passthrough" for x in r.objects if x["kind"] in expected.values()):
        yield "clear text is spoken to nodes that speak TLS"


@check("Prometheus finds every node, under the job that the alerts expect, and has the alerts of deploy/monitoring")
def monitoring(r, product):
    if "monitoring" not in r.components:
        if r.all("ServiceMonitor") or r.all("PrometheusRule"):
            yield "nobody asked for it"
        return
    spec = r.one("ServiceMonitor")["spec"]
    chosen = [x for x in r.all("Service") if contains(x["metadata"]["labels"], spec["selector"].get("matchLabels"))]
    if [x["metadata"]["name"] for x in chosen] != ["kaiku-peers"]:
        yield f"it asks {[x['metadata']['name'] for x in chosen]}"
    if any(x["metadata"]["labels"].get(spec["jobLabel"]) != "kaiku" for x in chosen):
        yield "the job has another name"
    endpoint = spec["endpoints"][0]
    if endpoint["port"] != "http" or endpoint["path"] not in product.routes:
        yield f"it asks {endpoint['path']} at {endpoint['port']}"
    if endpoint.get("authorization", {}).get("credentials") != {"name": "kaiku-metrics-token", "key": "token"}:
        yield "it has no token"
    if endpoint.get("scheme", "http") != ("https" if r.serves_tls else "http"):
        yield f"it speaks {endpoint.get('scheme', 'http')}"
    if r.serves_tls and endpoint.get("tlsConfig", {}).get("ca", {}).get("secret", {}).get("name") != "kaiku-http-tls":
        yield "it does not know the authority"
    alerts = yaml.safe_load(product.source("deploy/monitoring/alerts.yaml"))
    if r.one("PrometheusRule")["spec"] != alerts:
        yield "run deploy/kubernetes/components/monitoring/generate-rule: the alerts have changed"


@check("Redis is on a socket of the pod, and holds nothing back")
def redis(r, _):
    beside = [x for x in r.pod["containers"] if x["name"] == "redis"]
    if "redis" not in r.components:
        if beside or "KAIKU_REDIS" in r.config:
            yield "nobody asked for it"
        return
    arguments = dict(zip(beside[0]["args"][::2], beside[0]["args"][1::2]))
    expected = {"--port": "0", "--save": "", "--appendonly": "no", "--maxmemory-policy": "noeviction"}
    if not expected.items() <= arguments.items():
        yield f"its arguments are {arguments}"
    if r.config.get("KAIKU_REDIS") != "unix://" + arguments["--unixsocket"]:
        yield f"it listens at {arguments['--unixsocket']}"
    if "emptyDir" not in r.volume("redis") or any(x["name"] in token_volumes(r) for x in beside[0]["volumeMounts"]):
        yield "it keeps something, or has the token"


@check("members' certificates are good for every member, and of an authority of their own")
def certificates(r, product):
    if "tls-cert-manager" not in r.components:
        if r.all("Certificate") or r.all("Issuer"):
            yield "nobody asked for cert-manager"
        return
    specs = {x["metadata"]["name"]: x["spec"] for x in r.all("Certificate")}
    issuers = {x["metadata"]["name"]: x["spec"] for x in r.all("Issuer")}
    peer, http = specs["kaiku-peer-tls"], specs["kaiku-http-tls"]
    if not {f"kaiku-{i}" for i in range(product.members)} <= set(peer["dnsNames"]):
        yield f"members are called {peer['dnsNames']}"
    services = {x["metadata"]["name"] for x in r.all("Service")} - {"kaiku-peers"}
    told = services | {f"kaiku-{i}.kaiku-peers" for i in range(product.members)}
    if not told <= set(http["dnsNames"]) or any("*" in x for x in http["dnsNames"]):  # no wildcard stands for kaiku-0.kaiku-peers
        yield f"clients know nodes by other names than {http['dnsNames']}"
    if not {"server auth", "client auth"} <= set(peer["usages"]):
        yield f"members' certificates are for {peer['usages']}"
    if peer["issuerRef"] == http["issuerRef"]:
        yield "a certificate for clients is good for a member"
    for spec in specs.values():
        by = issuers.get(spec["issuerRef"]["name"])
        if by is None or ("ca" in by and by["ca"]["secretName"] not in {x["secretName"] for x in specs.values() if x.get("isCA")}):
            yield f"{spec['secretName']} is of {spec['issuerRef']}"
        if spec.get("isCA") and spec["privateKey"]["rotationPolicy"] != "Never":
            yield f"when {spec['secretName']} is renewed, what it has signed is not good any more"
    mounted = {x["secret"]["secretName"] for x in r.pod["volumes"] if "secret" in x}
    if not {peer["secretName"], http["secretName"]} <= mounted:
        yield f"only {mounted} are mounted"


def maintenance(r, nodes, product):
    """The pod for work on a volume: as a node's, on the first one's claim, and known to nobody."""
    ours, theirs = r.pod, nodes.pod
    yield from policy.CHECKS["pods run as the profile restricted and restricted-v2 demand"](r, product)
    for field in ("securityContext", "automountServiceAccountToken", "enableServiceLinks"):
        if ours.get(field) != theirs[field]:
            yield f"{field} is {ours.get(field)}, a node's {theirs[field]}"
    for field in ("image", "securityContext", "resources"):
        if r.kaikud[field] != nodes.kaikud[field]:
            yield f"{field} is {r.kaikud[field]}, a node's {nodes.kaikud[field]}"
    if r.template["metadata"].get("labels"):
        yield "Services might take it for a node"
    claim, template = r.one("PersistentVolumeClaim", "data-kaiku-0"), nodes.one("StatefulSet")["spec"]["volumeClaimTemplates"][0]
    if claim["spec"] != template["spec"]:
        yield f"the claim is {claim['spec']}, a node's {template['spec']}"
    if r.volume("data")["persistentVolumeClaim"]["claimName"] != claim["metadata"]["name"]:
        yield "the pod has another claim"
    if {x["name"]: x["mountPath"] for x in r.kaikud["volumeMounts"]} != {"data": nodes.config["KAIKU_DATA"]}:
        yield "the volume is mounted elsewhere"
