/** A screen that breaks must not take the window with it: what stands around it stays, and says what to do. */
import { Component, useEffect } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';

interface ScreenBoundaryProps {
  /** What is shown: another place is another try. */
  readonly place: string;
  readonly children: ReactNode;
}

interface ScreenBoundaryState {
  readonly place: string;
  readonly error: Error | undefined;
}

/** Browsers word it in their own ways; what is meant is that a part of the window is not there any more. */
const NOT_LOADED = /dynamically imported module|module script|preload/i;

/** Shows an error state in place of a screen that could not be loaded or drawn. */
export class ScreenBoundary extends Component<ScreenBoundaryProps, ScreenBoundaryState> {
  override state: ScreenBoundaryState = { place: this.props.place, error: undefined };

  static getDerivedStateFromError(thrown: unknown): Pick<ScreenBoundaryState, 'error'> {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  static getDerivedStateFromProps({ place }: ScreenBoundaryProps, state: ScreenBoundaryState): ScreenBoundaryState | null {
    return place === state.place ? null : { place, error: undefined };
  }

  override render(): ReactNode {
    const { error, place } = this.state;
    if (error === undefined) return this.props.children;
    const isNotLoaded = NOT_LOADED.test(error.message);
    return (
      <>
        {isNotLoaded ? <ReloadWhenBack /> : null}
        <ErrorState
          title={isNotLoaded ? 'This screen could not be loaded' : 'This screen has failed'}
          detail={
            isNotLoaded
              ? 'The core may be away, or another version may run since this window was opened. Trying again loads the window anew; what you have written is kept.'
              : `${error.message}. Agents go on working. Trying again loads the window anew; what you have written is kept.`
          }
          onRetry={() => location.reload()}
          diagnostics={`Quarterdeck ${__QUARTERDECK_VERSION__}, ${navigator.userAgent}\n${place}\n${error.stack ?? error.message}`}
        />
      </>
    );
  }
}

/** A screen that could not be fetched because the core was away comes by itself when the core is back. */
function ReloadWhenBack(): null {
  const session = useSession();
  useEffect(() => {
    const listening = session.onOnline(() => location.reload());
    return () => listening.dispose();
  }, [session]);
  return null;
}
