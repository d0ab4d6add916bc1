"""What the manifests have to agree with: facts of the product, read from its sources and its binary."""

import re
import subprocess
from pathlib import Path


class Product:
    def __init__(self, root, kaikud):
        self.root = Path(root)
        text = subprocess.run([kaikud, "--help"], capture_output=True, text=True, check=True, timeout=10).stdout
        # As the help says: KAIKU_ADVERTISE_HTTP for --advertise-http.
        names = re.findall(r"^ +(?:-\w,)?--([a-z0-9-]+)", text, re.M)
        self.variables = {"KAIKU_" + x.upper().replace("-", "_") for x in names if x not in ("help", "version", "config")}
        limits = self.source("actors/core/limits.hpp")
        self.shutdown_s = self.number(r"shutdown_grace_ms = ([\d']+);", limits) / 1000
        self.members = self.number(r"size_t members = (\d+);", limits)
        self.version = re.search(r"project\(kaiku VERSION (\S+)", self.source("CMakeLists.txt"))[1]
        self.routes = set(re.findall(r'route\{"([^"]+)"', self.source("http/api/router.cpp")))

    def source(self, path):
        return (self.root / path).read_text()

    @staticmethod
    def number(pattern, text):
        return int(re.search(pattern, text)[1].replace("'", ""))
