/**
 * Every shortcut of the window, screen by screen: what the settings list, whatever screen one came from. The screens
 * themselves say what their keys do now (use-commands.tsx); a browser spec compares the two on every screen.
 */

/** A shortcut, in the words of one who looks it up. */
interface Shortcut {
  readonly title: string;
  /** As in ./keys.ts. */
  readonly keys: string;
}

/** The shortcuts of one place. */
interface ShortcutGroup {
  /** What the titles of the place's scopes begin with. */
  readonly title: string;
  readonly shortcuts: readonly Shortcut[];
}

/** All of them, in the order in which they are listed. */
export const ALL_SHORTCUTS: readonly ShortcutGroup[] = [
  {
    title: 'Everywhere',
    shortcuts: [
      { title: 'Search or run a command', keys: 'ctrl+k' },
      { title: 'Show the shortcuts of the screen', keys: '?' },
      { title: 'Go to the agents', keys: 'g a' },
      { title: 'Go to the messages', keys: 'g m' },
      { title: 'Go to the set-up of this machine', keys: 'g u' },
      { title: 'Go to the settings', keys: 'g s' },
      { title: 'Go to what needs you', keys: 'g n' },
      { title: 'New agent', keys: 'n' },
      { title: 'Open a folder as a project', keys: 'ctrl+o' },
      { title: 'Show or hide the labels of the rail', keys: 'ctrl+b' },
    ],
  },
  {
    title: 'Agents',
    shortcuts: [
      { title: 'Filter the agents', keys: '/' },
      { title: 'Show the agents as cards', keys: 'v g' },
      { title: 'Show the agents as a table', keys: 'v t' },
      { title: 'Show the terminals side by side', keys: 'v w' },
      { title: 'Go among the agents: arrow keys, Home, End', keys: 'arrowdown' },
      { title: 'Go to the agents', keys: 'arrowright' },
      { title: 'Open the agent', keys: 'o' },
      { title: 'Select the agent; with Shift all up to it', keys: 'x' },
      { title: 'Select all agents that are shown', keys: 'ctrl+a' },
      { title: 'Clear the selection', keys: 'escape' },
      { title: 'Answer the agent’s question', keys: 'r' },
      { title: 'Write to the agent, or to the selected ones', keys: 'm' },
      { title: 'Pause or resume', keys: 'alt+p' },
      { title: 'Start', keys: 'alt+s' },
      { title: 'Stop', keys: 'alt+x' },
      { title: 'Restart', keys: 'alt+r' },
      { title: 'Put the agents in order now', keys: '.' },
    ],
  },
  {
    title: 'Agent',
    shortcuts: [
      { title: 'Pause or resume', keys: 'alt+p' },
      { title: 'Start', keys: 'alt+s' },
      { title: 'Stop', keys: 'alt+x' },
      { title: 'Restart', keys: 'alt+r' },
    ],
  },
  {
    title: 'Terminal',
    shortcuts: [
      { title: 'Take control, or release the keyboard', keys: 'ctrl+enter' },
      { title: 'Search the terminal', keys: 'ctrl+shift+f' },
      { title: 'Go to the terminal', keys: 'alt+t' },
      { title: 'Show the first window; 2 to 9: the others', keys: 'alt+1' },
      { title: 'Larger text', keys: 'ctrl++' },
      { title: 'Smaller text', keys: 'ctrl+-' },
      { title: 'Usual size of text', keys: 'ctrl+0' },
    ],
  },
  {
    title: 'Messages',
    shortcuts: [
      { title: 'Next message', keys: 'j' },
      { title: 'Previous message', keys: 'k' },
      { title: 'Reply to the selected message', keys: 'r' },
      { title: 'Show the thread of the selected message', keys: 't' },
      { title: 'Mark the selected message as read', keys: 'e' },
      { title: 'Search messages', keys: '/' },
      { title: 'Write a message', keys: 'c' },
      { title: 'Go to the newest message', keys: 'end' },
      { title: 'Go to the first message', keys: 'home' },
      { title: 'Go to a day', keys: 'd' },
      { title: 'Show or hide sequence and delivery', keys: 'i' },
      { title: 'Close the panel', keys: 'escape' },
    ],
  },
  {
    title: 'New agent',
    shortcuts: [
      { title: 'Create the agent', keys: 'ctrl+enter' },
      { title: 'Leave; what is typed stays', keys: 'escape' },
    ],
  },
  {
    title: 'Set up',
    shortcuts: [
      { title: 'Start the sample crew', keys: 's' },
      { title: 'Check this machine again', keys: 'r' },
    ],
  },
];
