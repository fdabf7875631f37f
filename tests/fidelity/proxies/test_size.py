from __future__ import annotations

from fidelity.proxies.size import MultiplyAdds, Parameters
from tests.fidelity.proxies.contract import ProxyContract, network, score


class TestParameters(ProxyContract):
    def proxy(self) -> Parameters:
        return Parameters()

    def test_they_are_counted(self) -> None:
        wanted = 3 * 4 * 9 + 8 + (4 * 4 * 9 + 4) + 8 + (4 * 3 + 3)
        assert score(Parameters(), network()) == wanted


class TestMultiplyAdds(ProxyContract):
    def proxy(self) -> MultiplyAdds:
        return MultiplyAdds()

    def test_they_are_counted_for_one_image(self) -> None:
        wanted = 36 * (3 * 4 * 9 + 4 * 4 * 9) + 4 * 3
        assert score(MultiplyAdds(), network()) == wanted
