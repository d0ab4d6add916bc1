"""Ways to break the manifests: where, what, the check that must notice it, and how."""


def set_in(path, value):
    def change(rendering):
        at = rendering
        for step in path[:-1]:
            at = getattr(at, step) if isinstance(step, str) and not isinstance(at, dict) else at[step]
        at[path[-1]] = value

    return change


def drop_in(path):
    def change(rendering):
        at = rendering
        for step in path[:-1]:
            at = getattr(at, step) if isinstance(step, str) and not isinstance(at, dict) else at[step]
        del at[path[-1]]

    return change


def of(kind, *steps, name="kaiku", value=None):
    def change(rendering):
        at = rendering.one(kind, name)
        for step in steps[:-1]:
            at = at[step]
        at[steps[-1]] = value

    return change


STANDARD, EDGE, GATEWAY, CERTIFIED = "kubernetes/standard", "openshift/edge", "kubernetes/gateway-api", "kubernetes/standard + tls-cert-manager"
BREAKAGES = [
    (STANDARD, "the pod may be root", "pods run as the profile restricted and restricted-v2 demand", drop_in(["pod", "securityContext", "runAsNonRoot"])),
    (STANDARD, "a root can be written to", "pods run as the profile restricted and restricted-v2 demand", drop_in(["kaikud", "securityContext", "readOnlyRootFilesystem"])),
    (STANDARD, "a capability stays", "pods run as the profile restricted and restricted-v2 demand", set_in(["kaikud", "securityContext", "capabilities"], {"drop": ["KILL"]})),
    (STANDARD, "the machine's network is used", "pods run as the profile restricted and restricted-v2 demand", set_in(["pod", "hostNetwork"], True)),
    (EDGE, "OpenShift's pods choose a user", "on OpenShift nobody chooses users or groups, elsewhere a group makes secrets readable", set_in(["pod", "securityContext", "runAsUser"], 10001)),
    (STANDARD, "readiness is another thing", "probes ask the right endpoints", set_in(["kaikud", "readinessProbe", "httpGet", "path"], "/healthz/live")),
    (STANDARD, "a liveness probe is missing", "probes ask the right endpoints", drop_in(["kaikud", "livenessProbe"])),
    (STANDARD, "two nodes may be drained at once", "drains leave a majority", of("PodDisruptionBudget", "spec", "maxUnavailable", value=2)),
    (STANDARD, "the peer port is open to all", "the peer port is for members alone, the HTTP port for everybody", of("NetworkPolicy", "spec", "ingress", 0, "from", value=[])),
    (STANDARD, "an account may delete pods", "a pod's account may patch its cluster's pods, and nothing else", of("Role", "rules", 0, "verbs", value=["patch", "delete"], name="kaiku-leader-label")),
    (STANDARD, "a variable is no option", "every variable is an option of kaikud, and every file that one names is mounted", set_in(["config", "KAIKU_NONSENSE"], "1")),
    (STANDARD, "everybody may read a secret", "secrets are named, never held, and mounted for the group alone", lambda r: r.volume("auth")["secret"].update(defaultMode=0o444)),
    (STANDARD, "a Secret is in the manifests", "secrets are named, never held, and mounted for the group alone", lambda r: r.objects.append({"kind": "Secret", "metadata": {"name": "x"}})),
    (STANDARD, "an image has no version", "images have versions, and kaikud's is this one", set_in(["kaikud", "image"], "kaiku")),
    (STANDARD, "a Service selects nothing", "selectors match the pods, and ports have their names", of("Service", "spec", "selector", value={"app": "x"})),
    (STANDARD, "members share machines", "pods are spread over machines and zones", drop_in(["pod", "affinity"])),
    (GATEWAY, "changes go to a Service that may have nobody", "clients from outside come by one way, encrypted, and to whom they should", of("HTTPRoute", "spec", "rules", 1, "backendRefs", value=[{"name": "kaiku-leader", "port": 8000}])),
    (GATEWAY, "a Gateway cuts large files off", "clients from outside come by one way, encrypted, and to whom they should", of("HTTPRoute", "spec", "rules", 1, "timeouts", value={"request": "15s"})),
    (CERTIFIED, "the nodes' names are not in the certificate", "members' certificates are good for every member, and of an authority of their own", of("Certificate", "spec", "dnsNames", value=["kaiku", "*.kaiku-peers"], name="kaiku-http-tls")),
    (EDGE, "a Route has clear text", "clients from outside come by one way, encrypted, and to whom they should", of("Route", "spec", "tls", value=None)),
]
