"""What the manifests promise, checked in what is rendered: how pods run, and who may do what.

A check takes a Rendering and a Product, and gives a text for each thing that is wrong. CHECKS has them by name.
"""

from rendering import NAME, ROLE

CHECKS = {}


def check(name):
    def add(function):
        CHECKS[name] = function
        return function

    return add


def contains(labels, selector):
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


# --- how pods run -----------------------------------------------------------------------------------------------------
VOLUMES = {"configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


@check("pods run as the profile restricted and restricted-v2 demand")
def restricted(r, _):
    pod = r.pod
    context = pod.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield f"{field} is set"
    if context.get("runAsNonRoot") is not True:
        yield "the pod may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    if "seLinuxOptions" in context or "sysctls" in context:
        yield "the pod sets SELinux options or sysctls"
    if context.get("runAsUser") == 0:
        yield "the pod runs as root"
    for volume in pod["volumes"]:
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"volume {volume['name']} is of another kind: {sorted(volume)}"
    for one in r.containers:
        own = one.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{one['name']} may gain privileges"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{one['name']} does not drop all capabilities, or adds some"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{one['name']} can write to its root"
        extra = set(own) - {"allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem"}
        if extra:
            yield f"{one['name']} sets {sorted(extra)} against the pod"
        if any("hostPort" in x for x in one.get("ports", [])):
            yield f"{one['name']} takes a port of the machine"


@check("on OpenShift nobody chooses users or groups, elsewhere a group makes secrets readable")
def users(r, _):
    context = r.pod["securityContext"]
    chosen = {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"} & set(context)
    if r.on_openshift and chosen:
        yield f"the pod chooses {sorted(chosen)}"
    if not r.on_openshift and not {"runAsUser", "fsGroup"} <= chosen:
        yield "no fsGroup, or no user"


@check("all that is written is a volume")
def writable(r, _):
    claims = [x["metadata"]["name"] for x in r.one("StatefulSet")["spec"]["volumeClaimTemplates"]]
    if claims != ["data"]:
        yield f"claims are {claims}"
    writes = {x["name"]: x["mountPath"] for x in r.kaikud["volumeMounts"] if not x.get("readOnly")}
    if writes.pop("data", None) != r.config.get("KAIKU_DATA"):
        yield "KAIKU_DATA is not where the claim is mounted"
    if writes != ({"redis": "/run/redis"} if "redis" in r.components else {}):
        yield f"kaikud can also write to {writes}"


@check("probes ask the right endpoints")
def probes(r, product):
    expected = {"startupProbe": "/healthz/live", "readinessProbe": "/healthz/ready", "livenessProbe": "/healthz/live"}
    for probe, path in expected.items():
        asks = r.kaikud.get(probe, {}).get("httpGet", {})
        if asks.get("path") != path or path not in product.routes:
            yield f"{probe} asks {asks.get('path')}"
        if r.ports.get(asks.get("port")) != 8000:
            yield f"{probe} asks port {asks.get('port')}"
        if asks.get("scheme", "HTTP") != ("HTTPS" if r.serves_tls else "HTTP"):
            yield f"{probe} speaks {asks.get('scheme', 'HTTP')}"
    for port, option in (("http", "KAIKU_HTTP"), ("peers", "KAIKU_PEERS")):
        if r.config.get(option) != f"0.0.0.0:{r.ports.get(port)}":
            yield f"{option} is {r.config.get(option)}, the container's port is {r.ports.get(port)}"


@check("a pod has the time to end in order, after the Services have forgotten it")
def end(r, product):
    before = r.kaikud.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    if len(before) != 2 or before[0] != "sleep" or not 3 <= int(before[1]) <= 10:
        yield f"preStop is {before}"
    elif int(before[1]) + product.shutdown_s + 5 > r.pod["terminationGracePeriodSeconds"]:
        yield "the grace period is too short"


@check("pods start side by side, and are told of each other before they are ready")
def start(r, _):
    spec = r.one("StatefulSet")["spec"]
    if spec["podManagementPolicy"] != "Parallel":
        yield "one pod waits for another"
    service = r.one("Service", spec["serviceName"])["spec"]
    if service.get("clusterIP") != "None" or service.get("publishNotReadyAddresses") is not True:
        yield "the StatefulSet's Service is not headless, or hides who is not ready"
    if service["selector"] != {NAME: "kaiku"}:
        yield "the StatefulSet's Service has not all pods"
    if r.pod.get("enableServiceLinks") is not False:
        yield "variables that Kubernetes makes of Services may be taken for options"
    if set(spec.get("persistentVolumeClaimRetentionPolicy", {}).values()) != {"Retain"}:
        yield "scaling down removes volumes"


@check("pods are spread over machines and zones")
def spread(r, _):
    wanted = {"matchLabels": {NAME: "kaiku"}}
    affinity = r.pod.get("affinity", {}).get("podAntiAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    on_others = any(x["topologyKey"] == "kubernetes.io/hostname" and x["labelSelector"] == wanted for x in terms)
    if on_others == ("one-machine" in r.components):
        yield "two members may share a machine" if not on_others else "three machines are needed"
    zones = r.pod.get("topologySpreadConstraints", [])
    if not any(x["topologyKey"] == "topology.kubernetes.io/zone" and x["labelSelector"] == wanted for x in zones):
        yield "zones do not count"


@check("every container asks for what it needs, and has a bound of memory")
def resources(r, _):
    for one in r.containers:
        asked = one.get("resources", {})
        if not {"cpu", "memory"} <= set(asked.get("requests", {})) or "memory" not in asked.get("limits", {}):
            yield f"{one['name']}: {asked}"
        if "cpu" in asked.get("limits", {}):
            yield f"{one['name']} is throttled"


# --- what may be disturbed, and who may do what -----------------------------------------------------------------------
@check("drains leave a majority")
def disruption(r, product):
    budget = r.one("PodDisruptionBudget")["spec"]
    if not contains(r.labels, budget["selector"].get("matchLabels")):
        yield "the budget is of other pods"
    members = [r.one("StatefulSet")["spec"]["replicas"], *range(3, product.members + 1)]
    for replicas in members:
        away = budget["maxUnavailable"] if "maxUnavailable" in budget else replicas - budget["minAvailable"]
        if not isinstance(away, int) or replicas < 3 or not 1 <= away or not 2 * (replicas - away) > replicas:
            yield f"of {replicas} nodes {away} may go"


@check("the peer port is for members alone, the HTTP port for everybody")
def network(r, _):
    policy = r.one("NetworkPolicy")["spec"]
    if not contains(r.labels, policy["podSelector"].get("matchLabels")):
        yield "the policy is for other pods"
    if policy["policyTypes"] != ["Ingress"]:
        yield f"the policy is about {policy['policyTypes']}"
    opened = set()
    for rule in policy["ingress"]:
        members_only = [{"podSelector": {"matchLabels": {NAME: "kaiku"}}}]
        ports = {x.get("port") for x in rule.get("ports", [])} or {"all"}
        if ports == {r.ports["peers"]} and rule.get("from") == members_only:
            opened.add("peers")
        elif ports == {r.ports["http"]} and "from" not in rule:
            opened.add("http")
        else:
            yield f"it opens {ports} for {rule.get('from', 'everybody')}"
    if opened != {"peers", "http"}:
        yield f"it opens only {opened}"
    for service in r.all("Service"):
        ports = {x["targetPort"] for x in service["spec"]["ports"]}
        if ports != ({"http", "peers"} if service["metadata"]["name"] == "kaiku-peers" else {"http"}):
            yield f"Service {service['metadata']['name']} leads to {ports}"


@check("a pod's account may patch its cluster's pods, and nothing else")
def rights(r, product):
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        if r.all(kind):
            yield f"there is a {kind}"
    account = r.one("ServiceAccount")
    if account.get("automountServiceAccountToken") is not False or r.pod.get("automountServiceAccountToken") is not False:
        yield "every container gets a token"
    if r.pod["serviceAccountName"] != "kaiku":
        yield "the pods have another account"
    roles, bindings = r.all("Role"), r.all("RoleBinding")
    if not r.labels_leader:
        if roles or bindings or token_volumes(r):
            yield "nothing needs the API, but pods may ask it"
        return
    pods = [f"kaiku-{i}" for i in range(product.members)]
    wanted = [{"apiGroups": [""], "resources": ["pods"], "resourceNames": pods, "verbs": ["patch"]}]
    if [x["rules"] for x in roles] != [wanted]:
        yield f"the rights are {[x['rules'] for x in roles]}"
    for binding in bindings:
        refers = binding["roleRef"]["kind"], binding["roleRef"]["name"]
        if refers != ("Role", roles[0]["metadata"]["name"]) or binding["subjects"] != [{"kind": "ServiceAccount", "name": "kaiku"}]:
            yield f"the binding is {binding['roleRef']} to {binding['subjects']}"
    if len(bindings) != 1:
        yield f"there are {len(bindings)} bindings"


def token_volumes(r):
    return [x["name"] for x in r.pod["volumes"] if any("serviceAccountToken" in y for y in x.get("projected", {}).get("sources", []))]


@check("the label publisher has what it needs, and no other container has it")
def label(r, product):
    tokens = token_volumes(r)
    asked = r.config.get("KAIKU_KUBERNETES_LABELS")
    if not r.labels_leader:
        if asked or tokens:
            yield "nobody looks at the label"
        return
    if asked != "true" or len(tokens) != 1:
        yield f"KAIKU_KUBERNETES_LABELS is {asked}, tokens: {tokens}"
        return
    own = {x["name"]: x.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") for x in r.kaikud["env"]}
    if own.get("KAIKU_KUBERNETES_POD") != "metadata.name":
        yield "it does not know its pod"
    given = {item["path"] for x in r.volume(tokens[0])["projected"]["sources"] for item in files(x)}
    if given != {"token", "ca.crt", "namespace"}:
        yield f"it is given {given}"
    for one in r.containers:
        paths = [x["mountPath"] for x in one["volumeMounts"] if x["name"] == tokens[0]]
        if paths != (["/var/run/secrets/kubernetes.io/serviceaccount"] if one is r.kaikud else []):
            yield f"{one['name']} has the token at {paths}"
    for name, role in (("kaiku-leader", "leader"), ("kaiku-reads", "follower")):
        if r.one("Service", name)["spec"]["selector"] != {NAME: "kaiku", ROLE: role}:
            yield f"{name} does not go by the label"


def files(source):
    what = next(iter(source.values()))
    return what.get("items", [what])
