"""Puts the shared library that TRACESTORE_LIBRARY names into the wheel, and tags the wheel for its platform and every Python."""

import os
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedLibrary(BuildHookInterface):
    def initialize(self, version, build_data):
        library = Path(os.environ["TRACESTORE_LIBRARY"]).resolve(strict=True)
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = f"tracestore/{library.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
