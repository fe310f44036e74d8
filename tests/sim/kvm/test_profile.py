"""Profiles: which kernel is which, switches set alone, errors that name the remedy (section 0.4)."""

import pytest

from hw.errors import InputError
from sim.kvm.profile import PROFILES, SWITCHES, profile_for_kernel, profile_named


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("6.1.0-50-arm64", "legacy,+vmcr_before_aprs"),
        ("6.12.107+deb13-arm64", "legacy"),
        ("6.18.15+deb13-arm64", "legacy"),
        ("6.19.6+deb13-arm64", "6.19"),
        ("6.19.14+deb13-arm64", "6.19,+walk_from_tail"),
        ("7.0.1", "7.0"),
        ("6.9.99", "legacy,+vmcr_before_aprs"),
        ("6.10", "legacy"),
        ("6.19", "6.19"),
        ("6.19.7", "6.19,+walk_from_tail"),
        ("7.0", "7.0"),
        ("7.2.9", "7.0"),
        ("7.3", "7.3"),
        ("7.4.0-rc1", "7.3"),
        ("6.12.58.cloud", "legacy"),
        ("7.3.4+deb13-arm64", "7.3"),
    ],
)
def test_kernel_chooses_the_profile(release, name):
    assert profile_for_kernel(release).name == name


@pytest.mark.parametrize("release", ["", "next", "7", "seven.three"])
def test_kernel_without_a_number(release):
    with pytest.raises(InputError, match="--profile"):
        profile_for_kernel(release)


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_alone(switch):
    base = PROFILES["7.3"]
    changed = base.with_(**{switch: not getattr(base, switch)})
    differing = [name for name in SWITCHES if getattr(base, name) != getattr(changed, name)]
    assert differing == [switch]
    assert profile_named(changed.name) == changed


def test_every_switch_is_documented():
    assert all(switch["doc"] and switch["patches"] for switch in SWITCHES.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8.0", "7.3"),
        ("7.3,pending_first", r"\+pending_first"),
        ("7.3,-no_such", "no switch 'no_such'"),
        ("7.3,-xyz", f"no switch 'xyz'; the switches are {', '.join(SWITCHES)}$"),
        ("7.3,-walk_tail", "did you mean walk_from_tail"),
    ],
)
def test_bad_profile_text(text, said):
    with pytest.raises(InputError, match=said):
        profile_named(text)


def test_table_of_section_0_4():
    """Spot checks of the table's rows, by column."""
    legacy, v1, v619, v70, v73 = (PROFILES[name] for name in ("legacy", "v1", "6.19", "7.0", "7.3"))
    assert not any(getattr(legacy, name) for name in SWITCHES)
    assert v1.split_overflow and not v619.split_overflow
    assert not v619.walk_from_tail and v70.walk_from_tail
    assert not v70.last_lr_on_overflow and v73.last_lr_on_overflow
    assert not v1.icactiver_offset and v619.icactiver_offset
    assert not v1.misr_read_back and v619.misr_read_back
    assert not v1.broadcast_needs_tdir and v619.broadcast_needs_tdir
    assert all(profile.eager_vmcr and profile.lpi_drop_active for profile in (v1, v619, v70, v73))
