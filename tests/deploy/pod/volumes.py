"""A pod's volumes as a kubelet makes them: owners, modes, files that are swapped."""

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from sidecar.command.bare_json import Json
from tests.deploy.pod.manifests import Manifests, Object, mapping, objects

_DATA: Final = "..data"
_SETGID: Final = 0o2000
_GROUP_READS: Final = 0o440
_GROUP_ENTERS: Final = 0o110


class Volumes:
    """Directories on this machine, by the names that the pod has for them."""

    def __init__(self, folder: Path, manifests: Manifests, pod: Object) -> None:
        self._folder = folder
        self._manifests = manifests
        group = mapping(pod, "securityContext").get("fsGroup")
        self._group = -1 if group is None else cast("int", group)
        self._numbers = itertools.count(1)
        self._specs = {str(each["name"]): each for each in objects(pod, "volumes")}
        for name, spec in self._specs.items():
            self._make(name, spec)

    def path(self, mount: Mapping[str, Json]) -> Path:
        """What is mounted by an entry of `volumeMounts`."""
        assert mount["name"] in self._specs
        assert "subPath" not in mount, "what is mounted by subPath never changes"
        return self._folder / str(mount["name"])

    def update(self, name: str) -> None:
        """Brings a volume of files up to what its object has now, in one swap."""
        self._swap(self._folder / name, self._specs[name])

    def _make(self, name: str, spec: Object) -> None:
        path = self._folder / name
        path.mkdir()
        path.chmod(0o777)
        if "emptyDir" in spec:
            self._belong(path, 0o770)
            return
        self._swap(path, spec)

    def _swap(self, path: Path, spec: Object) -> None:
        # What reads sees all new files or none: a symbolic link is renamed over.
        fresh = path / f"..{next(self._numbers)}"
        fresh.mkdir(mode=0o755)
        files, mode = self._files(spec)
        for name, text in files.items():
            file = fresh / name
            file.write_text(text, encoding="utf-8")
            file.chmod(mode)
            self._belong(file, _GROUP_READS)
            if not (path / name).is_symlink():
                (path / name).symlink_to(f"{_DATA}/{name}")
        self._belong(fresh, _GROUP_READS | _GROUP_ENTERS)
        self._belong(path, _GROUP_READS | _GROUP_ENTERS)
        link = path / "..data_tmp"
        link.symlink_to(fresh.name)
        link.rename(path / _DATA)

    def _files(self, spec: Object) -> tuple[dict[str, str], int]:
        if "configMap" in spec:
            source = mapping(spec, "configMap")
            files = self._manifests.config_map(str(source["name"]))
        else:
            source = mapping(spec, "secret")
            files = self._manifests.secret(str(source["secretName"]))
        mode = cast("int", source.get("defaultMode", 0o644))
        items = objects(source, "items")
        if items:
            files = {str(each["path"]): files[str(each["key"])] for each in items}
        return files, mode

    def _belong(self, path: Path, more: int) -> None:
        if self._group == -1:
            return
        os.chown(path, -1, self._group)
        # After chown, which takes the setgid bit away.
        setgid = _SETGID if path.is_dir() else 0
        path.chmod(path.stat().st_mode & 0o7777 | more | setgid)
