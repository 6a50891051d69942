/** What the form of an agent takes from other features. */
import type { ReactNode } from 'react';
import type { AgentFormParts, FormPartProps } from '#renderer/features/agents/agent-form-parts.ts';
import { formBoundary, listedIn, rulesIn } from '#renderer/features/agents/agent-form-state.ts';
import { ReachChoice } from '#renderer/features/egress/reach-choice.tsx';
import { ImageChooser } from '#renderer/features/runtimes/image-chooser.tsx';
import { RuntimeChooser } from '#renderer/features/runtimes/runtime-chooser.tsx';
import { useImages, useRuntimes } from '#renderer/features/runtimes/use-images.ts';

function Place({ fields, errors, onChange }: FormPartProps): ReactNode {
  const { answer, problem } = useRuntimes();
  const wrong = errors.runtime ?? errors.sandbox;
  return (
    <>
      <RuntimeChooser runtime={fields.runtime} sandbox={fields.sandbox} onChange={onChange} known={answer} problem={problem} />
      {wrong === undefined ? null : (
        <p role="alert" className="text-12 text-st-failed">
          {wrong}
        </p>
      )}
      {fields.runtime === 'docker' ? <ImagePart fields={fields} errors={errors} onChange={onChange} /> : null}
    </>
  );
}

/** Mounted only for containers: the engine is asked while this is shown. */
function ImagePart({ fields, errors, onChange }: FormPartProps): ReactNode {
  const images = useImages();
  return <ImageChooser image={fields.image} error={errors.image} onChange={(image) => onChange({ image })} images={images} />;
}

function Reach({ fields, errors, onChange }: FormPartProps): ReactNode {
  return (
    <ReachChoice
      isBoxed={formBoundary(fields) !== 'host'}
      login={fields.login === '' ? 'none' : fields.login}
      modelApis={listedIn(fields.modelApis)}
      mode={fields.egressMode === '' ? 'deny' : fields.egressMode}
      rules={rulesIn(fields.egressRules)}
      errors={{ login: errors.login, modelApis: errors.modelApis, rules: errors.egressRules ?? errors.egressMode }}
      onChange={({ login, modelApis, mode, rules }) =>
        onChange({
          ...(login === undefined ? {} : { login }),
          ...(modelApis === undefined ? {} : { modelApis: modelApis.join(', ') }),
          ...(mode === undefined ? {} : { egressMode: mode }),
          ...(rules === undefined ? {} : { egressRules: rules.join('\n') }),
        })
      }
    />
  );
}

/** The parts of the form. */
export const AGENT_FORM_PARTS: AgentFormParts = { Place, Reach };
