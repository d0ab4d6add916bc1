"""What `kubectl kustomize` makes of the manifests: which combinations there are, and one of them at a time."""

import itertools
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

OVERLAYS = [
    "kubernetes/base",
    "kubernetes/standard",
    "kubernetes/ingress",
    "kubernetes/gateway-api",
    "openshift/base",
    "openshift/edge",
    "openshift/passthrough",
]
TLS = ["tls-secret", "tls-cert-manager"]
# Of these the way in speaks clear text to the nodes, or, of the last, brings TLS itself.
WITHOUT_TLS = ["kubernetes/ingress", "kubernetes/gateway-api", "openshift/edge", "openshift/passthrough"]
MAINTENANCE = "deploy/kubernetes/maintenance"
MOST = ["monitoring", "redis"]  # in the order in which they are applied: TLS changes what monitoring brought
ALONE = "one-machine"
NAME = "app.kubernetes.io/name"
ROLE = "kaiku.io/role"


def combinations():
    """Every overlay with every set of components that can go together, as (overlay, components)."""
    for overlay in OVERLAYS:
        tls = [[]] if overlay in WITHOUT_TLS else [[]] + [[one] for one in TLS]
        for some in itertools.product(*[([], [one]) for one in MOST]):
            for secured in tls:
                chosen = sum(some, []) + secured
                late = overlay.endswith("passthrough") and "monitoring" in chosen
                yield overlay, chosen + (["monitoring-tls"] if late else [])
        yield overlay, [ALONE]


class Rendering:
    """The objects of one combination, with what the checks ask of them."""

    def __init__(self, overlay, components, objects):
        self.overlay, self.components, self.objects = overlay, components, objects
        self.name = " + ".join([overlay, *components])

    def all(self, kind):
        return [x for x in self.objects if x["kind"] == kind]

    def one(self, kind, name="kaiku"):
        found = [x for x in self.all(kind) if x["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} objects {kind}/{name}"
        return found[0]

    @property
    def template(self):
        return self.one("StatefulSet")["spec"]["template"]

    @property
    def pod(self):
        return self.template["spec"]

    @property
    def containers(self):
        return self.pod.get("initContainers", []) + self.pod["containers"]

    @property
    def kaikud(self):
        return next(x for x in self.pod["containers"] if x["name"] == "kaikud")

    @property
    def labels(self):
        return self.template["metadata"]["labels"]

    @property
    def ports(self):
        return {x["name"]: x["containerPort"] for x in self.kaikud["ports"]}

    @property
    def config(self):
        """The options that stand in the ConfigMap which kaikud's environment is made from."""
        names = [x["configMapRef"]["name"] for x in self.kaikud["envFrom"]]
        assert len(names) == 1, "kaikud has one ConfigMap as its environment"
        return self.one("ConfigMap", names[0])["data"]

    @property
    def on_openshift(self):
        return self.overlay.startswith("openshift/")

    @property
    def labels_leader(self):
        return self.overlay != "kubernetes/base"

    @property
    def serves_tls(self):
        return self.overlay.endswith("passthrough") or any(x in TLS for x in self.components)

    def volume(self, name):
        return next(x for x in self.pod["volumes"] if x["name"] == name)


class Maintenance(Rendering):
    """The pod that holds a node's volume while work is done on it, and a claim for it: files, not an overlay."""

    def __init__(self, root):
        files = sorted((Path(root) / MAINTENANCE).glob("*.yaml"))
        super().__init__(MAINTENANCE, [], [yaml.safe_load(x.read_text()) for x in files])

    @property
    def template(self):
        return self.one("Pod", "kaiku-maintenance")


class Renderer:
    """Runs kustomize. Owns the folder in which it writes kustomizations that join an overlay and components."""

    def __init__(self, command, root, folder):
        self.command, self.root, self.folder = command, Path(root), Path(folder)

    def render(self, directory):
        done = subprocess.run([*self.command, str(directory)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip())
        return done.stdout

    def combine(self, overlay, components):
        """Where the kustomization for both is."""
        deploy = self.root / "deploy"
        if not components:
            return deploy / overlay
        where = self.folder / "-".join([overlay.replace("/", "-"), *components])
        where.mkdir(parents=True, exist_ok=True)
        path = lambda x: os.path.relpath(deploy / x, where)
        (where / "kustomization.yaml").write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "kustomize.config.k8s.io/v1beta1",
                    "kind": "Kustomization",
                    "resources": [path(overlay)],
                    "components": [path(f"kubernetes/components/{x}") for x in components],
                }
            )
        )
        return where

    def objects(self, directory):
        return list(yaml.load_all(self.render(directory), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

    def all(self):
        """(name, Rendering or what went wrong) of every combination."""

        def one(combination):
            overlay, components = combination
            try:
                return Rendering(overlay, components, self.objects(self.combine(overlay, components)))
            except (ValueError, yaml.YAMLError, subprocess.TimeoutExpired) as failure:
                return " + ".join([overlay, *components]), str(failure)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(one, combinations()))
