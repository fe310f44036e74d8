"""Finding a hypervisor by name: a kernel's profile, a built-in policy, or a policy in a Python file."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import traceback
from pathlib import Path

from hw.errors import InputError
from sim.kvm.profile import PROFILES, Profile, profile_named
from sim.kvm.vm import Vm
from sim.policy.interface import Policy, policy_profile

__all__ = ["POLICIES", "attach_policy", "command_line_name", "hypervisor_named", "load_policy"]

#: The built-in policies and their modules.
POLICIES: dict[str, str] = {"xen": "sim.policy.xen", "bao": "sim.policy.bao"}
_SUFFIX = ".py"


def hypervisor_named(name: str, directory: Path = Path()) -> Profile:
    """Return the profile to run a hypervisor with.

    Parameters
    ----------
    name : str
        A kernel's profile, with changes as in ``7.3,-walk_from_tail``; ``xen`` or ``bao``; or the name of a
        Python file with one :class:`sim.policy.interface.Policy` in it.
    directory : Path
        Where such a file is looked for first; then where the command was given.

    Raises
    ------
    InputError
        When there is no such hypervisor, or its file is not a policy.
    """
    if name in POLICIES:
        return policy_profile(name, name)
    if name.endswith(_SUFFIX):
        beside = directory / name
        path = (beside if beside.is_file() else Path(name)).resolve()
        load_policy(str(path))
        return policy_profile(path.name, str(path))
    if name.split(",")[0] not in PROFILES:
        raise InputError(
            f"unknown hypervisor {name!r}; there are the profiles {', '.join(PROFILES)}, the policies "
            f"{', '.join(POLICIES)}, and any policy file, NAME.py"
        )
    return profile_named(name)


def command_line_name(profile: Profile) -> str:
    """Return the name to find a hypervisor by from any directory: a policy file's is its whole path."""
    return profile.name if profile.policy in POLICIES else profile.policy or profile.name


def load_policy(policy: str) -> type[Policy]:
    """Return the class of a built-in policy, or that of a file.

    Raises
    ------
    InputError
        When the file cannot be read or run, or does not have exactly one policy.
    """
    if policy in POLICIES:
        module = importlib.import_module(POLICIES[policy])
        return _policy_of(module, policy)
    path = Path(policy)
    if not path.is_file():
        raise InputError(f"{policy}: no such file; give a Python file with one sim.policy.interface.Policy")
    spec = importlib.util.spec_from_file_location(f"spillway_policy_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{_place(error, policy)}: {type(error).__name__}: {error}") from error
    return _policy_of(module, policy)


def _policy_of(module: object, policy: str) -> type[Policy]:
    found = [
        one for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Policy) and one.__module__ == module.__name__
    ]  # fmt: skip
    if len(found) != 1:
        count = "no" if not found else f"{len(found)}"
        raise InputError(f"{policy}: {count} subclasses of sim.policy.interface.Policy; it takes one")
    return found[0]


def attach_policy(vm: Vm) -> None:
    """Give a VM the policy its profile names, if it names one."""
    if vm.profile.policy:
        vm.policy = _guarded(load_policy(vm.profile.policy), vm.profile.policy)(vm)


def _guarded(policy: type[Policy], source: str) -> type[Policy]:
    """Return the class with its three functions' own errors told in one line that names the place."""
    if source in POLICIES:
        return policy

    def guard(name: str):
        inner = getattr(policy, name)

        def outer(self: Policy, *arguments: object) -> object:
            try:
                result = inner(self, *arguments)
                if name == "enter" and not isinstance(result, int):
                    raise TypeError(f"it returns {result!r}, not the bits of ICH_HCR_EL2; return 0 for none")
                return result
            except Exception as error:
                text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                raise InputError(f"{_place(error, source)}: in {name}: {text}; mend the policy") from error

        return outer

    names = ("__init__", "leave", "enter", "deactivate")
    return type(policy.__name__, (policy,), {name: guard(name) for name in names})


def _place(error: BaseException, source: str) -> str:
    """Return ``file:line`` of where a policy's error happened, as near as its own file tells."""
    if isinstance(error, SyntaxError):
        return f"{source}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    return f"{source}:{lines[-1]}" if lines else source
