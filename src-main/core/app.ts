/**
 * The core: everything is made and wired here, and only here. Only composes.
 * Order of the start: folders, lock, store, what is remembered, doors, agents, `run.json`. The end is the same backwards.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isAlive } from '#shared/agents/model.ts';
import type { RunInfo } from '#shared/system/model.ts';
import { chooseAgentPort } from './agent-port.ts';
import { AgentLauncher, inheritedEnvironment } from './agents/agent-launcher.ts';
import { AgentRegistry } from './agents/agent-registry.ts';
import { AgentRuns } from './agents/agent-runs.ts';
import { ForeignSessions } from './agents/foreign-sessions.ts';
import { MetricsSampler } from './agents/metrics-sampler.ts';
import { AgentsService } from './agents/agents-service.ts';
import { agentsHandlers } from './agents/handlers.ts';
import { Templates } from './agents/templates.ts';
import { watchDisks } from './agents/watch-disks.ts';
import type { Programs } from './agents/types/agent-driver.ts';
import { DRIVERS } from './agents/types/drivers.ts';
import { AuthService } from './auth/auth-service.ts';
import { authHandlers } from './auth/handlers.ts';
import { BoundaryRefusals } from './boundary/boundary-refusals.ts';
import { BoundaryService } from './boundary/boundary-service.ts';
import { boundaryHandlers } from './boundary/handlers.ts';
import type { Caller } from './caller.ts';
import { CORE } from './caller.ts';
import { openDataDir, prepareFolders, removeRunFile, writeRunFile } from './data-folder.ts';
import { egressHandlers } from './egress/handlers.ts';
import { EgressService } from './egress/egress-service.ts';
import { gatewayProgram } from './egress/gateway-process.ts';
import { foldersOfBoxes } from './folders-of-boxes.ts';
import { hiddenFrom } from './hidden-from-boxes.ts';
import { attachmentsHandlers } from './attachments/handlers.ts';
import { composeAttachments } from './compose-attachments.ts';
import { composeMessages, followAgentEnds } from './compose-messages.ts';
import { composeEnrolments } from './compose-enrolments.ts';
import { composeProvenance } from './compose-provenance.ts';
import { composeRuntimes } from './compose-runtimes.ts';
import { composeStore } from './compose-store.ts';
import { composeTerminals } from './compose-terminals.ts';
import { composeSessionFiles } from './compose-sessions.ts';
import { composeSearch } from './compose-search.ts';
import { composeMiddleware } from './compose-middleware.ts';
import { composeTopics } from './compose-topics.ts';
import { createDoors } from './http/doors.ts';
import { requireLoopback } from './http/ports.ts';
import { journalHandlers } from './journal/handlers.ts';
import { WakeUps } from './mcp/wake-ups.ts';
import { messagesHandlers } from './messages/handlers.ts';
import { middlewareHandlers } from './middleware/handlers.ts';
import { pathsOf } from './paths.ts';
import { provenanceHandlers } from './provenance/handlers.ts';
import { projectsHandlers } from './projects/handlers.ts';
import { ProjectsService } from './projects/projects-service.ts';
import type { RpcPort } from './rpc/message-port.ts';
import { connectEngine } from './runtimes/docker/engine.ts';
import { agentImageName } from './runtimes/docker/agent-image.ts';
import { runtimesHandlers } from './runtimes/handlers.ts';
import { ImagesService } from './runtimes/images-service.ts';
import { sideWindowsFor } from './runtimes/side-windows.ts';
import { searchHandlers } from './search/handlers.ts';
import { secretsHandlers } from './secrets/handlers.ts';
import { loadGatewayWord } from './secrets/key-file.ts';
import { keyFileSource, passphraseSource } from './secrets/key-source.ts';
import { SecretsService } from './secrets/secrets-service.ts';
import { SessionsService } from './sessions/sessions-service.ts';
import { settingsHandlers } from './settings/handlers.ts';
import { SettingsService } from './settings/settings-service.ts';
import { readFact, saveFact } from './store/facts-repository.ts';
import { keepFact } from './store/keep-fact.ts';
import { takeLock } from './store/lock.ts';
import { systemHandlers } from './system/handlers.ts';
import { checkBubblewrapNow, runDoctor } from './system/doctor.ts';
import { findLoginPath, loginPath } from './system/login-path.ts';
import { teamsHandlers } from './teams/handlers.ts';
import { TeamsService } from './teams/teams-service.ts';
import { terminalsHandlers } from './terminals/handlers.ts';
import { topicsHandlers } from './topics/handlers.ts';
import type { PortLike } from './terminals/port-duplex.ts';
import { portDuplex } from './terminals/port-duplex.ts';
import { wsDuplex } from './terminals/ws-duplex.ts';
import { workspacesHandlers } from './workspaces/handlers.ts';
import { WorkspacesService } from './workspaces/workspaces-service.ts';

/** What a host decides. */
export interface AppOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  /** Folder `assets`, outside any archive. */
  readonly assetsDir: string;
  /** Folder of the built window; undefined serves a page that says how to build it. */
  readonly rendererDir: string | undefined;
  readonly programs: Programs;
  /** Folder of the guests as single files, outside any archive: it is mounted into boxes. */
  readonly guestsDir: string;
  /** Module of the reader's thread. */
  readonly readerModule: URL;
  /** 0 = any; undefined = 3000 or the next free one. */
  readonly port: number | undefined;
  /** 0 = any; undefined = the one chosen before, else 3100 or the next free one. */
  readonly agentPort: number | undefined;
  readonly bind: string;
  readonly allowHosts: readonly string[];
  readonly log: Logger;
  /** A caller asked for the end of the core. */
  readonly onShutdownRequested: (options: { stopAgents: boolean }) => void;
}

/** A running core. */
export interface App {
  readonly info: RunInfo;
  /** A one-time link that logs a browser in. */
  loginLink(): string;
  /** Serves the contract over a MessagePort (Electron's or Node's). */
  readonly serveRpcPort: (port: RpcPort, caller: Caller) => void;
  /** Serves live terminals over a MessagePort. */
  readonly serveTerminalPort: (port: PortLike, caller: Caller) => void;
  /** Ends the core cleanly. Agents that can outlive it go on unless told otherwise. */
  close(options: { stopAgents: boolean }): Promise<void>;
}

const AGENT_PORT_FACT = 'agent-port';
const INSTANCE_FACT = 'instance';

/** Undoes one step of the start. */
type Ending = (options: { stopAgents: boolean }) => void | Promise<void>;

/** Starts the core. Fails with an AppError that says what to do when it cannot, and leaves nothing open then. */
export async function startApp(o: AppOptions): Promise<App> {
  const endings: Ending[] = [];
  const close = async (options: { stopAgents: boolean }): Promise<void> => {
    for (let end = endings.pop(); end; end = endings.pop()) {
      // Whatever becomes of one step, the others are taken: the store's above all.
      await Promise.resolve(options)
        .then(end)
        .catch((error: unknown) => o.log.error({ err: error }, 'a step of the end failed'));
    }
  };
  try {
    return { ...(await compose(o, (end) => endings.push(end))), close };
  } catch (error) {
    await close({ stopAgents: false });
    throw error;
  }
}

async function compose(o: AppOptions, onEnd: (end: Ending) => void): Promise<Omit<App, 'close'>> {
  const { log } = o;
  // Before anything is made: an address that is refused must leave no trace.
  requireLoopback(o.bind);
  const now = Date.now;
  const paths = pathsOf(openDataDir(o.dataDir), o.env);
  const warn = (message: string): void => log.warn(message);
  prepareFolders(paths);
  const lock = takeLock(paths.lock, paths.dataDir);
  onEnd(() => lock.dispose());
  const path = loginPath(o.env);

  const { store, journal, auditKey, loop } = composeStore(paths, o, onEnd);
  const auth = new AuthService({ store, operatorTokenFile: paths.operatorToken, warn });
  await auth.open();
  onEnd(() => auth.dispose());
  const sessions = new SessionsService({ store, version: o.version });
  const { isAfterCrash } = await sessions.open();
  let isReady = false;
  onEnd(() => (isReady ? sessions.end() : sessions.giveUp()));
  const projects = new ProjectsService({ store });
  projects.open();
  const passphrase = o.env['QUARTERDECK_PASSPHRASE'];
  const secrets = new SecretsService({
    store,
    keySource:
      passphrase === undefined || passphrase === ''
        ? keyFileSource(paths.secrets, warn)
        : passphraseSource(paths.secrets, passphrase, warn),
    isProject: (id) => projects.list().some((project) => project.id === id),
  });
  const { problem: secretsProblem } = await secrets.open();
  if (secretsProblem !== undefined) warn(secretsProblem);

  const registry = new AgentRegistry({ store, now });
  registry.open();
  onEnd(() => registry.dispose());
  const boundaryRefusals = new BoundaryRefusals({ store, agentOf: (id) => registry.find(id) ?? registry.findRemoved(id) });
  const topics = composeTopics({ store, registry, projects, journal, log });
  const provenance = await composeProvenance({ store, paths, auditKey, currentSession: () => sessions.currentId(), warn, onEnd });
  const attachments = await composeAttachments({ store, paths, registry, projects, log, onEnd });
  const middleware = await composeMiddleware({ store, paths, registry, projects, secrets, journal, auditKey, log, onEnd });
  const messages = composeMessages({
    middleware,
    store,
    registry,
    sessions,
    projects,
    boundaryRefusals,
    topics: topics.service,
    provenance,
    attachments,
    log,
  });
  messages.open();
  onEnd(() => messages.dispose());
  const sessionFiles = await composeSessionFiles({ store, journal, sessions, projects, messages, provenance, paths, log, onEnd });
  const ends = followAgentEnds({ messages, registry, journal, log });
  onEnd(() => ends.dispose());
  const announcing = topics.announce(messages);
  onEnd(() => announcing.dispose());

  const instanceId = await keepFact(store, INSTANCE_FACT, () => randomUUID());
  const { runtimes, imageSource, ...places } = composeRuntimes({
    ...o,
    instanceId,
    paths,
    onOom: (id) => {
      agents
        .noteMemoryRefused(id)
        .catch((error: unknown) => log.error({ err: error }, 'that memory ran out could not be stored'));
    },
  });
  onEnd(() => places.dispose());
  const images = new ImagesService({
    store,
    docker: connectEngine(o.env),
    source: imageSource,
    now,
    log: (message, error) => log.warn({ err: error }, message),
  });
  onEnd(() => images.dispose());
  const runs = new AgentRuns({
    registry,
    now,
    onEnded: async (agent) => {
      await auth.revokeAgentTokens(agent.id, CORE);
      if (agent.boundary === 'host') return;
      await egress.drop(agent.id);
      await workspaces.collect(agent.id);
    },
    log: (message, error) => log.error({ err: error }, message),
  });
  const agentEnv: NodeJS.ProcessEnv = { ...o.env, PATH: await path };
  const workspaces = new WorkspacesService({
    store,
    env: agentEnv,
    projectsDir: paths.projects,
    projectOf: (id) => projects.get(id),
    agentOf: (id) => registry.get(id),
    now,
    log: (message, error) => log.warn({ err: error }, message),
  });
  const boundary = new BoundaryService({
    store,
    now,
    agentOf: (id) => registry.find(id),
    hiddenFrom: (id) => hiddenFrom(id, { paths, env: o.env, info: doors.info(), peers: registry.all().map((agent) => agent.id) }),
    limitsOf: (id) => runs.find(id)?.limits,
    boxOf: (id) => launcher.boxOf(registry.get(id), { hasLine: runs.find(id)?.socketLine !== undefined }),
    twinOf: async (id) => {
      const { image, resourceLimits } = registry.get(id).config;
      const box = await launcher.boxOf(registry.get(id), { hasLine: false });
      return box && places.twinOf({ user: box.user, image }, resourceLimits);
    },
  });
  onEnd(() => boundary.dispose());
  const launcher = new AgentLauncher({
    programs: o.programs,
    agentsDir: paths.agents,
    socketDir: paths.socketDir,
    env: agentEnv,
    agentUrl: () => doors.info().agentMcpUrl,
    mintToken: (agent) => auth.mintAgentToken({ agentId: agent.id, projectId: agent.projectId, caller: CORE }),
    sideWindows: (agent, files) =>
      sideWindowsFor({
        scriptPath: join(o.assetsDir, 'scripts', 'agent-window.sh'),
        ...(DRIVERS[agent.config.type].hasHealthEndpoint ? { queueFile: files.queueFile } : {}),
      }),
    workspaceOf: (agent) => workspaces.prepare(agent),
    boxes: {
      guestsDir: o.guestsDir,
      serve: (agent, options) => egress.serve(agent, options),
      environmentOf: (agent) => egress.environmentOf(agent),
      openDesk: (launch) => boundary.openDesk(launch),
      openLine: (id, line) => egress.openLine(id, line),
    },
  });
  const templates = new Templates({ builtInDir: join(o.assetsDir, 'templates'), ownDir: paths.templates });
  /** The gateway is reached: what needs it waits for that, and nothing else does. */
  const servedFrom = Promise.withResolvers<void>();
  servedFrom.promise.catch(() => undefined);
  const agents = new AgentsService({
    registry,
    runs,
    launcher,
    templates,
    runtimes,
    resolveProject: (stated, caller) => projects.resolve(stated, caller),
    heldBy: (id) => messages.heldBy(id),
    endAccess: (id, caller) => auth.revokeAgentTokens(id, caller),
    userOf: (id) => workspaces.userOf(id),
    onAdopted: async (agent, run) => {
      await servedFrom.promise;
      await launcher.serveAgain(agent, run.socketLine);
    },
    now,
    log: (message, error) => log.warn({ err: error }, message),
  });
  const gatewayWord = loadGatewayWord(paths.secrets, warn);
  const egress = new EgressService({
    store,
    program: gatewayProgram(o.programs.guest('gateway'), paths, o),
    word: gatewayWord,
    agentOf: (id) => registry.find(id),
    agents: () => registry.all(),
    isRunning: (id) => registry.mayRun(id),
    configure: (id, rules, caller) => agents.update(id, { egress: rules }, caller),
    reveal: (name, projectId) => secrets.reveal(name, projectId),
    onCommitted: (listener) => journal.onCommitted(listener),
    log,
  });
  onEnd(() => egress.close());
  const activity = messages.onActivity(({ recipient, held }) => agents.noteActivity(recipient, held));
  onEnd(() => activity.dispose());
  const teams = new TeamsService({
    spawn: (input, caller) => agents.spawn(input, caller),
    send: (message, caller) => messages.send(message, caller),
    resolveProject: (stated, caller) => projects.resolve(stated, caller),
    isTaken: (id) => registry.isTaken(id),
    keep: (name, value) => keepFact(store, name, () => value),
    agentFolders: () => foldersOfBoxes({ boxed: workspaces.boxed(), registry, launcher }),
    onProposal: ({ isAccepted, ...act }, caller) =>
      isAccepted ? boundaryRefusals.recordAccepted(act, caller) : boundaryRefusals.record(act, caller),
    sampleFile: join(o.assetsDir, 'teams', 'sample-crew.yaml'),
    sampleFolder: join(paths.projects, 'sample'),
  });
  const terminals = composeTerminals({ store, runs, registry, agents, auth, log });
  onEnd(() => terminals.dispose());
  let followers = 0;
  const metrics = new MetricsSampler({
    living: () => registry.all().flatMap((agent) => (isAlive(agent.state.status) ? (runs.find(agent.id) ?? []) : [])),
    isWatched: () => followers > 0,
    now,
  });
  metrics.start();
  onEnd(() => metrics.dispose());
  const disk = watchDisks({ agents, registry, runs, launcher, workspaces, log: (text, error) => log.warn({ err: error }, text) });
  onEnd(() => disk.dispose());

  const agentMcpUrl = (): string => doors.info().agentMcpUrl;
  const enrolments = await composeEnrolments({ store, registry, messages, projects, auth, agentMcpUrl, log });
  onEnd(() => enrolments.dispose());
  const wakeUps = new WakeUps(messages);
  onEnd(() => wakeUps.dispose());
  const doors = createDoors({
    handlers: {
      agents: agentsHandlers({
        agents,
        registry,
        runs,
        launcher,
        templates,
        metrics,
        foreign: new ForeignSessions({
          env: agentEnv,
          ownSocket: join(paths.socketDir, 'tmux.sock'),
          agents: () => registry.all(),
          isTaken: (id) => registry.isTaken(id),
          spawn: (input, caller) => agents.spawn(input, caller),
          start: (id, caller) => agents.start(id, caller),
        }),
        unreadOf: (recipient) => messages.unreadOf(recipient),
        heldBy: (recipient) => messages.heldBy(recipient),
        now,
      }),
      attachments: attachmentsHandlers(attachments),
      auth: authHandlers(auth, { loginUrl: (code) => doors.loginUrl(code) }),
      boundary: boundaryHandlers(boundary),
      egress: egressHandlers(egress),
      enrolments: enrolments.handlers,
      journal: journalHandlers({
        store,
        headFile: paths.auditHead,
        auditKey,
        source: {
          seq: () => journal.seq,
          recentAfter: (seq, limit) => journal.recentAfter(seq, limit),
          readAfter: (after, limit) => store.read('journal.events', { after, limit }),
          onCommitted: (listener) => journal.onCommitted(listener),
          onDeliveries: (listener) => messages.onDeliveries(listener),
          onFollower: (delta) => {
            followers += delta;
            metrics.noteWatched();
          },
        },
      }),
      messages: messagesHandlers(messages),
      middleware: middlewareHandlers(middleware),
      projects: projectsHandlers(projects, agentEnv),
      provenance: provenanceHandlers(provenance),
      runtimes: runtimesHandlers({
        runtimes: Object.values(runtimes),
        images,
        checkBubblewrap: async () => checkBubblewrapNow(await findLoginPath(o.env), o.env),
      }),
      search: searchHandlers(composeSearch({ ...o, paths, journal, currentSession: () => sessions.currentId(), onEnd })),
      secrets: secretsHandlers(secrets),
      ...sessionFiles.handlers,
      settings: settingsHandlers(new SettingsService({ store })),
      system: systemHandlers({
        info: () => doors.info(),
        dataDir: paths.dataDir,
        examine: async () => {
          const login = await findLoginPath(o.env);
          // What was installed since the start is found by agents, too.
          if (login.problem === null) agentEnv['PATH'] = login.path;
          const agentImage = await agentImageName(imageSource).catch(() => undefined);
          return runDoctor({
            login,
            env: o.env,
            agentEnv: inheritedEnvironment(agentEnv),
            dataDir: paths.dataDir,
            agentImage: agentImage?.reference,
          });
        },
        runtimes: Object.values(runtimes),
        registry,
        store,
        journal,
        loop,
        followers: () => followers,
        messageCounts: () => messages.totals(),
        now,
        requestShutdown: o.onShutdownRequested,
      }),
      teams: teamsHandlers(teams),
      terminals: terminalsHandlers(terminals.service),
      topics: topicsHandlers(topics.service),
      workspaces: workspacesHandlers(workspaces),
    },
    auth,
    store,
    log,
    version: o.version,
    rendererDir: o.rendererDir,
    bind: o.bind,
    allowHosts: o.allowHosts,
    attachments,
    onTerminalSocket: (socket, caller) => terminals.serve(wsDuplex(socket), caller),
    onAgentCall: (id) => enrolments.onCall(id),
    wakeUps,
    onRefused: (caller, asked, reason) => boundaryRefusals.recordAtDoor(caller, asked, reason),
    gate: { word: gatewayWord, isContained: (id) => (registry.find(id)?.boundary ?? 'host') !== 'host' },
  });

  const keptPort = store.peek((db) => readFact(db, AGENT_PORT_FACT));
  const choice = chooseAgentPort(
    o.agentPort,
    keptPort === undefined ? undefined : Number(keptPort),
    registry.all().some((agent) => isAlive(agent.state.status)),
  );
  onEnd(() => doors.close());
  const info = await doors.listen({ port: o.port, agentPort: choice.port, isAgentPortNegotiable: choice.isNegotiable });
  const agentPort = new URL(info.agentMcpUrl).port;
  onEnd((options) => agents.close(options));
  // In the same turn as the doors open: a command that comes in waits for its agent to be found.
  const adopting = agents.adopt().then(() => places.sweep());
  const gateway = egress.open({ agentUrl: new URL(info.agentMcpUrl).origin });
  servedFrom.resolve(gateway);
  const keeping = agentPort === keptPort ? undefined : store.write((tx) => saveFact(tx, AGENT_PORT_FACT, agentPort));
  await Promise.all([adopting, gateway, keeping]);
  isReady = true;
  writeRunFile(paths.runFile, info);
  onEnd(() => removeRunFile(paths.runFile));
  log.info({ dataDir: paths.dataDir, url: info.url, agents: registry.all().length, isAfterCrash }, 'ready');

  return {
    info,
    loginLink: () => doors.loginUrl(auth.createLoginCode().code),
    serveRpcPort: (port, caller) => doors.serveRpcPort(port, caller),
    serveTerminalPort: (port, caller) => terminals.serve(portDuplex(port), caller),
  };
}
