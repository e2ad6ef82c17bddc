"""Where plans arrive for the fast loop."""

from agent.messages import Plan, PlanRequest
from agent.planner.client import PlannerClient, PlannerLostError
from agent.planner.ledger import Ledger

_VIRTUAL_WAIT_S = 120.0
"""Of wall time. Not a deadline but a planner that hangs: what comes out must not depend on how fast a machine is."""


class Inbox:
    """Sends requests and hands out plans when they take effect.

    In virtual time a plan takes effect `latency_s` of simulated time after its request, however fast the planner was:
    only then, if ever, is it waited for. In real time it takes effect when it arrives, and nothing is waited for.
    """

    def __init__(self, client: PlannerClient, *, latency_s: float = 0.3, virtual: bool = True) -> None:
        self._client = client
        self._latency_s = latency_s
        self._virtual = virtual
        self._due_s = 0.0
        self._request: PlanRequest | None = None
        self.ledger = Ledger()
        self.planner_lost = False
        """Whether the latest plan is empty because nobody made one."""

    @property
    def waiting(self) -> bool:
        """Whether a plan was asked for and has not been handed out."""
        return self._request is not None

    def submit(self, request: PlanRequest, now_s: float) -> PlanRequest:
        """Asks for a plan; an earlier request not answered yet is forgotten.

        Returns the request as it was sent: with the trials of the episode and what is left of the plan in force.
        Record that one: the plan is a function of it alone.
        """
        request = self.ledger.complete(request)
        self._client.request(request)
        self._request = request
        self._due_s = now_s + self._latency_s
        return request

    def due(self, now_s: float) -> Plan | None:
        """The plan that takes effect now, once. A lost planner gives one without subgoals and with `error`."""
        if self._request is None or (self._virtual and now_s < self._due_s - 1e-9):
            return None
        self.planner_lost = False
        try:
            plan = self._client.wait(_VIRTUAL_WAIT_S) if self._virtual else self._client.poll()
        except PlannerLostError as error:
            self.planner_lost = True
            plan = Plan(request_id=self._request.id, subgoals=[], error=str(error))
        if plan is not None:
            self._request = None
            self.ledger.adopt(plan)
        return plan

    def close(self) -> None:
        """Closes the client, and with it a spawned planner."""
        self._client.close()
