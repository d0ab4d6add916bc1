"""Renders every combination of the manifests and checks it: ROOT KAIKUD FOLDER PACKAGES KUSTOMIZE...

Prints "ok NAME" or "not ok NAME" for each check, for a failure with what is wrong behind it.
"""

import copy
import sys

import agreement  # adds its checks
import policy
import schemas
from product import Product
from rendering import Maintenance, Renderer
from sabotage import BREAKAGES

root, kaikud, folder, packages = sys.argv[1:5]
failed = False


def report(name, complaints):
    global failed
    print("not ok" if complaints else "ok", name, flush=True)
    for complaint in complaints[:10]:
        print(f"    {complaint}")
    failed = failed or bool(complaints)


def complaints(check, rendering):
    """A check that falls over what is missing has found something too."""
    try:
        return list(check(rendering, product))
    except Exception as wrong:
        return [f"{type(wrong).__name__}: {wrong}"]


product = Product(root, kaikud)
rendered = Renderer(sys.argv[5:], root, folder).all()
good = [x for x in rendered if not isinstance(x, tuple)]
report(f"all {len(rendered)} combinations of overlays and components render", [": ".join(x) for x in rendered if isinstance(x, tuple)])

at_work = Maintenance(root)
things = [(x.name, y) for x in [*good, at_work] for y in x.objects]
found = schemas.complaints([y for _, y in things], packages)
report(
    f"all {len(things)} objects in them are what their APIs take, to the last field",
    [f"{name}: {what}" for (name, _), wrong in zip(things, found) for what in wrong],
)
for name, check in policy.CHECKS.items():
    report(name, [f"{x.name}: {what}" for x in good for what in complaints(check, x)])

by_name = {x.name: x for x in good}
at_work_check = lambda r, _: agreement.maintenance(r, by_name["kubernetes/standard"], product)
report("the pod for work on a volume is like a node's, and on a claim like a node's", complaints(at_work_check, at_work))

# Each check has to notice what it is for.
for where, what, name, breakage in BREAKAGES:
    broken = copy.deepcopy(by_name[where])
    breakage(broken)
    noticed = complaints(policy.CHECKS[name], broken)
    report(f"it would be noticed that {what}", [] if noticed else [f"by: {name}"])
broken = copy.deepcopy(at_work)
broken.kaikud["image"] = "kaiku:0.0.9"
report("it would be noticed that the pod for work on a volume has another version", [] if complaints(at_work_check, broken) else ["by nobody"])
broken = copy.deepcopy([by_name["openshift/edge"].one("Route"), by_name["kubernetes/gateway-api"].one("HTTPRoute"), by_name["kubernetes/base"].one("StatefulSet")])
for thing in broken:
    thing["spec"]["nonsense"] = True
report("it would be noticed that an object has a field that its API does not know", [f"{x['kind']}" for x, wrong in zip(broken, schemas.complaints(broken, packages)) if not wrong])
sys.exit(failed)
