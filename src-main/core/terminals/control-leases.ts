/**
 * Who has control of which agent's terminal: the one view that may type into it, whichever of its windows it shows.
 *
 * Invariants: an agent's terminal has at most one holder; every view was last told what is true; control that was lost with
 * its connection is kept a short time for the same caller, who may come back on another; the journal has who takes it before
 * anything is typed. Kept in memory: with the core every connection ends, and with it control.
 */
import type { Actor, Door } from '#shared/auth/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { ControlPayload } from '#shared/terminals/frames.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { EventData } from '#shared/journal/model.ts';
import type { AppStore } from '#core/reads.ts';

/** How long control is kept for a caller whose connection was lost, in ms: a reconnect takes less, an operator waits no more. */
export const GRACE_MS = 5_000;

/** Which window of which agent a view shows. */
export interface Place {
  readonly agentId: AgentId;
  readonly projectId: ProjectId;
  readonly window: string;
}

/** How a view came to its end. */
export type LeaveReason = 'closed' | 'lost' | 'ended';

/** What the leases need. */
export interface ControlOptions {
  readonly store: AppStore;
  readonly now: () => number;
  /** What a caller is called, by people. */
  readonly nameOf: (actor: Actor) => string;
  /** Told when the journal could not be written. */
  readonly onFault: (error: unknown) => void;
  /** See `GRACE_MS`. */
  readonly graceMs?: number;
}

/** A view's part in the control of its agent's terminal. */
export interface ControlSeat {
  readonly hasControl: boolean;
  /** Whether somebody else has control, so that this view's size decides nothing. */
  readonly isSubject: boolean;
  /**
   * Takes control, at once. Rejects with CONFLICT when somebody else has it and `isForced` is false. Resolves when the journal
   * has it; rejects, and frees control again, when it cannot be written.
   */
  take(isForced: boolean): Promise<void>;
  /** Gives control back; does nothing without it. */
  release(): void;
  /** Throws CONFLICT, with the name of who has it, unless this view has control. */
  demand(): void;
  /** The view is over. Repeating it does nothing. */
  leave(reason: LeaveReason): void;
}

interface Seat {
  readonly place: Place;
  readonly caller: Caller;
  readonly tell: (control: ControlPayload) => void;
}

interface Holder {
  /** Undefined while its connection is away. */
  seat: Seat | undefined;
  readonly caller: Caller;
  readonly place: Place;
  readonly name: string;
  readonly since: number;
  timer: NodeJS.Timeout | undefined;
}

interface Lease {
  readonly seats: Set<Seat>;
  holder: Holder | undefined;
}

function isSame(one: Caller, other: Caller): boolean {
  return one.actor.kind === other.actor.kind && one.actor.id === other.actor.id && one.door === other.door;
}

/** Who has control of which agent's terminal. */
export class ControlLeases implements Disposable {
  readonly #options: ControlOptions;
  readonly #leases = new Map<AgentId, Lease>();

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /** Who has control of an agent's terminal, and how many views of it there are. */
  statusOf(agentId: AgentId): { holder: { name: string; door: Door; since: number } | null; viewers: number } {
    const lease = this.#leases.get(agentId);
    const holder = lease?.holder;
    return {
      holder: holder ? { name: holder.name, door: holder.caller.door, since: holder.since } : null,
      viewers: lease?.seats.size ?? 0,
    };
  }

  /** Throws CONFLICT while somebody other than `caller` has control. For callers that look at nothing, such as scripts. */
  demandFree(agentId: AgentId, caller: Caller): void {
    const holder = this.#leases.get(agentId)?.holder;
    if (holder && !isSame(holder.caller, caller)) throw heldError(agentId, holder);
  }

  /** A view opens; `tell` is called at once, and at every change. */
  join(place: Place, caller: Caller, tell: (control: ControlPayload) => void): ControlSeat {
    const known = this.#leases.get(place.agentId);
    const lease: Lease = known ?? { seats: new Set(), holder: undefined };
    if (!known) this.#leases.set(place.agentId, lease);
    const seat: Seat = { place, caller, tell };
    lease.seats.add(seat);
    this.#tell(lease);
    const has = (): boolean => lease.holder?.seat === seat;
    return {
      get hasControl() {
        return has();
      },
      get isSubject() {
        return lease.holder !== undefined && !has();
      },
      take: (isForced) => this.#take(lease, seat, isForced),
      release: () => {
        if (has()) this.#free(lease, 'released', caller);
      },
      demand: () => {
        if (has()) return;
        if (lease.holder) throw heldError(place.agentId, lease.holder);
        throw new AppError('CONFLICT', 'You only watch this terminal: take control of it before you type.', {
          data: { holder: null },
        });
      },
      leave: (reason) => this.#leave(lease, seat, reason),
    };
  }

  /** Forgets everything, without a word: the core ends. */
  dispose(): void {
    for (const { holder } of this.#leases.values()) clearTimeout(holder?.timer);
    this.#leases.clear();
  }

  async #take(lease: Lease, seat: Seat, isForced: boolean): Promise<void> {
    if (!lease.seats.has(seat)) return;
    const before = lease.holder;
    if (before?.seat === seat) {
      seat.tell(payloadFor(lease, seat));
      return;
    }
    if (before && before.seat === undefined && isSame(before.caller, seat.caller)) {
      // Back after the connection was lost: it never ceased to have control.
      clearTimeout(before.timer);
      before.seat = seat;
      this.#tell(lease);
      return;
    }
    if (before && !isForced) throw heldError(seat.place.agentId, before);
    clearTimeout(before?.timer);
    const { caller, place } = seat;
    const holder: Holder = {
      seat,
      caller,
      place,
      name: this.#options.nameOf(caller.actor),
      since: this.#options.now(),
      timer: undefined,
    };
    lease.holder = holder;
    this.#tell(lease);
    try {
      await this.#record(place, caller, 'terminal.control-taken', {
        window: place.window,
        from: before ? { actor: before.caller.actor, door: before.caller.door, name: before.name } : null,
      });
    } catch (error) {
      if (lease.holder === holder) this.#free(lease, undefined, caller);
      throw error;
    }
  }

  #leave(lease: Lease, seat: Seat, reason: LeaveReason): void {
    if (!lease.seats.delete(seat)) return;
    const { holder } = lease;
    if (holder?.seat !== seat) {
      this.#tell(lease);
    } else if (reason === 'lost') {
      holder.seat = undefined;
      const graceMs = this.#options.graceMs ?? GRACE_MS;
      holder.timer = setTimeout(() => {
        if (lease.holder === holder && holder.seat === undefined) this.#free(lease, 'lost', holder.caller);
      }, graceMs).unref();
      this.#tell(lease);
    } else {
      this.#free(lease, reason, seat.caller);
    }
    this.#forgetEmpty(seat.place.agentId, lease);
  }

  #free(lease: Lease, reason: EventData<'terminal.control-released'>['reason'] | undefined, caller: Caller): void {
    const { holder } = lease;
    if (!holder) return;
    clearTimeout(holder.timer);
    lease.holder = undefined;
    this.#tell(lease);
    this.#forgetEmpty(holder.place.agentId, lease);
    if (reason === undefined) return;
    this.#record(holder.place, caller, 'terminal.control-released', { window: holder.place.window, reason }).catch(
      this.#options.onFault,
    );
  }

  #forgetEmpty(agentId: AgentId, lease: Lease): void {
    if (lease.seats.size === 0 && !lease.holder && this.#leases.get(agentId) === lease) this.#leases.delete(agentId);
  }

  #tell(lease: Lease): void {
    for (const seat of lease.seats) seat.tell(payloadFor(lease, seat));
  }

  #record<K extends 'terminal.control-taken' | 'terminal.control-released'>(
    place: Place,
    caller: Caller,
    kind: K,
    data: EventData<K>,
  ): Promise<void> {
    const envelope = { projectId: place.projectId, actor: caller.actor, door: caller.door, subject: place.agentId };
    return this.#options.store.write((tx) => tx.record(event(envelope, kind, data)));
  }
}

function payloadFor({ holder, seats }: Lease, seat: Seat): ControlPayload {
  return {
    holder: holder ? { name: holder.name, door: holder.caller.door, isYou: holder.seat === seat, since: holder.since } : null,
    viewers: seats.size,
  };
}

function heldError(agentId: AgentId, { name, caller, since }: Holder): AppError {
  return new AppError(
    'CONFLICT',
    `${name} (${caller.door}) has had control of the terminal of "${agentId}" since ${new Date(since).toISOString()}. Wait until it is given back, or take control with force.`,
    { data: { holder: name, door: caller.door, since } },
  );
}
