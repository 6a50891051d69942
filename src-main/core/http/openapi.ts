/** The OpenAPI document of the contract, made once when it is first asked for. */
import { OpenAPIGenerator } from '@orpc/openapi';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import { contract } from '#shared/contract.ts';
import { API_PREFIX } from './rest.ts';

/** Makes the document. It is the same for everybody and holds no secret. */
export class OpenApiDocument {
  readonly #version: string;
  #text: Promise<string> | undefined;

  constructor(version: string) {
    this.#version = version;
  }

  /** The document as JSON text. */
  async text(): Promise<string> {
    this.#text ??= this.#make();
    return await this.#text;
  }

  async #make(): Promise<string> {
    const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] });
    const document = await generator.generate(contract, {
      info: {
        title: 'Quarterdeck',
        version: this.#version,
        description:
          'Runs, connects and watches agents and workers on one machine. Every call needs a token in the header "Authorization: Bearer <token>"; the operator\'s is in the file "operator-token" of the data folder.',
      },
      servers: [{ url: API_PREFIX }],
      security: [{ bearer: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: "The operator's token, or one made with POST /auth/tokens" },
        },
      },
    });
    return JSON.stringify(document);
  }
}
