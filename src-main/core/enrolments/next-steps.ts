/** What an agent from outside is told to do next. Written for a model as much as for a program. */

/** It is in. */
export function enrolledText(agentId: string, heartbeatMs: number, hasToken: boolean): string {
  const keep = hasToken
    ? 'Keep the token secret; it is shown this one time. Connect anew and send it as "Authorization: Bearer <token>" with every request: this connection goes on without it. '
    : '';
  return `You are agent "${agentId}". ${keep}Then call wait_for_messages in a loop, answer tasks and requests, and mark_messages_read. Call at least every ${heartbeatMs / 1_000} s (a waiting call counts), or you are shown as lost until you call again.`;
}

/** The operator has not decided. */
export function pendingText(check: string, leftMs: number): string {
  return `The operator was asked and sees the check ${check} beside your request (Settings > Connections). Call register_agent with this requestId again until it is decided; the request ends in ${Math.max(1, Math.round(leftMs / 60_000))} min. Tell nobody the requestId.`;
}

/** Nothing came of it. */
export function decidedText(status: 'denied' | 'expired'): string {
  return status === 'denied'
    ? 'The operator refused. Do not ask again unless you are told to.'
    : 'Nobody decided in time, or the token was not fetched in time. Ask again when the operator is there, or ask for a one-time code.';
}
