/** What the conformance suite expects of the fixture that it calls: texts, a picture, a sound. Its names and texts are the suite's. */
import type { CallToolResult } from '@modelcontextprotocol/server';

/** A picture of one pixel, PNG in base64. */
export const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** A sound without samples, WAV in base64. */
const SOUND = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

/** A result of one text. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

/** Tools that answer with what never changes, by name. */
export const FIXED_TOOLS: Readonly<Record<string, CallToolResult>> = {
  test_simple_text: textResult('This is a simple text response for testing.'),
  test_image_content: { content: [{ type: 'image', data: PICTURE, mimeType: 'image/png' }] },
  test_audio_content: { content: [{ type: 'audio', data: SOUND, mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  },
  test_multiple_content_types: {
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PICTURE, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  },
};

/** Forms that the server asks a client of 2025 to fill in, by the name of the tool that does. */
export const FORMS = {
  test_elicitation_sep1034_defaults: {
    type: 'object' as const,
    properties: {
      name: { type: 'string' as const, description: 'User name', default: 'John Doe' },
      age: { type: 'integer' as const, description: 'User age', default: 30 },
      score: { type: 'number' as const, description: 'User score', default: 95.5 },
      status: {
        type: 'string' as const,
        description: 'User status',
        enum: ['active', 'inactive', 'pending'],
        default: 'active',
      },
      verified: { type: 'boolean' as const, description: 'Verification status', default: true },
    },
    required: [],
  },
  test_elicitation_sep1330_enums: {
    type: 'object' as const,
    properties: {
      untitledSingle: { type: 'string' as const, enum: ['option1', 'option2', 'option3'] },
      titledSingle: {
        type: 'string' as const,
        oneOf: [
          { const: 'value1', title: 'First Option' },
          { const: 'value2', title: 'Second Option' },
          { const: 'value3', title: 'Third Option' },
        ],
      },
      legacyEnum: {
        type: 'string' as const,
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three'],
      },
      untitledMulti: {
        type: 'array' as const,
        minItems: 1,
        maxItems: 3,
        items: { type: 'string' as const, enum: ['option1', 'option2', 'option3'] },
      },
      titledMulti: {
        type: 'array' as const,
        minItems: 1,
        maxItems: 3,
        items: {
          anyOf: [
            { const: 'value1', title: 'First Choice' },
            { const: 'value2', title: 'Second Choice' },
            { const: 'value3', title: 'Third Choice' },
          ],
        },
      },
    },
    required: [],
  },
};
