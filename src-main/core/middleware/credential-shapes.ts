/**
 * The shapes of well-known credentials, as their issuers document them. A shape is taken only where it is told apart from
 * prose: by a prefix, or by what stands around it. No shape ends at a boundary, so that what follows a key directly is taken
 * with it rather than a part of the key left; every expression runs in time linear in the text but for bounded parts.
 */
import type { CredentialKind } from '#shared/middleware/model.ts';

/** Expressions of each kind. Where one has a group "secret", only that is taken. All need the flags d and g. */
export const CREDENTIAL_SHAPES: Readonly<Record<CredentialKind, readonly RegExp[]>> = {
  // RFC 7468 and OpenPGP armour; a block that is cut off is taken to its end.
  'private-key': [
    /-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----|$)/dg,
    /AGE-SECRET-KEY-1[0-9A-Z]{20,}/dg,
  ],
  'api-key': [
    // Anthropic, OpenAI and those that took over their form. The older form is told from words that end in "sk" by its start.
    /sk-(?:ant|proj|svcacct|admin|or-v1|lf)-[A-Za-z0-9_-]{16,}/dg,
    /(?<![A-Za-z0-9])sk-[A-Za-z0-9]{20,}[A-Za-z0-9_-]*/dg,
    // AWS: the key's id, and the secret beside its name.
    /(?:AKIA|ASIA)[0-9A-Z]{16,}/dg,
    /aws_?secret_?access_?key["'\s:=]{1,8}(?<secret>[A-Za-z0-9/+=]{40,})/dgi,
    // Google, Stripe, SendGrid, Hugging Face, Groq, Replicate, DigitalOcean, Twilio, Mailgun, Databricks, Linear.
    /AIza[0-9A-Za-z_-]{30,}/dg,
    /[sr]k_(?:live|test)_[0-9A-Za-z]{16,}/dg,
    /whsec_[0-9A-Za-z+/=]{16,}/dg,
    /SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}/dg,
    /(?<![A-Za-z0-9])(?:hf|gsk|r8)_[0-9A-Za-z]{30,}/dg,
    /do[opr]_v1_[a-f0-9]{40,}/dg,
    /(?<![A-Za-z0-9])SK[0-9a-f]{32,}/dg,
    /(?<![A-Za-z0-9])key-[0-9a-f]{32,}/dg,
    /(?<![A-Za-z0-9])dapi[0-9a-f]{32,}/dg,
    /lin_api_[0-9A-Za-z]{30,}/dg,
  ],
  token: [
    // This product's own.
    /qd[ota]_[A-Za-z0-9_-]{20,}/dg,
    // GitHub, GitLab, npm, PyPI, Docker, Slack, Google OAuth, HashiCorp Vault, Telegram.
    /gh[pousr]_[0-9A-Za-z]{30,}/dg,
    /github_pat_[0-9A-Za-z_]{22,}/dg,
    /gl(?:pat|oas|dt|rt|cbt|ptt|ft|soat)-[0-9A-Za-z_-]{20,}/dg,
    /npm_[0-9A-Za-z]{30,}/dg,
    /pypi-[0-9A-Za-z_-]{40,}/dg,
    /dckr_pat_[0-9A-Za-z_-]{20,}/dg,
    /xox[abeoprs]-[0-9A-Za-z-]{10,}/dg,
    /xapp-[0-9A-Za-z-]{20,}/dg,
    /hooks\.slack\.com\/(?:services|workflows)\/(?<secret>[0-9A-Za-z/_-]{20,})/dg,
    /ya29\.[0-9A-Za-z_-]{20,}/dg,
    /hv[sbr]\.[0-9A-Za-z_-]{20,}/dg,
    /(?<![0-9])[0-9]{8,10}:AA[0-9A-Za-z_-]{30,}/dg,
  ],
  // RFC 7519: a header that begins with {" in base64url; with its parts, also those of an encrypted one.
  jwt: [/(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,2048}(?:\.[A-Za-z0-9_-]*){2,4}/dg],
  // RFC 3986 user information with a password, up to the last @ before the path; and keys in lists of settings.
  'connection-string': [
    /[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@]{0,128}:(?<secret>[^\s/]{1,256})@/dgi,
    /(?:AccountKey|SharedAccessKey|SharedAccessSignature)=(?<secret>[^\s;"']{8,})/dgi,
    /(?:^|[;"'\s])(?:password|pwd)=(?<secret>[^\s;"']{4,});/dgi,
  ],
  netrc: [
    /\bmachine\s{1,8}\S{1,255}\s{1,8}(?:login\s{1,8}\S{1,255}\s{1,8})?(?:account\s{1,8}\S{1,255}\s{1,8})?password\s{1,8}(?<secret>\S{1,1024})/dg,
  ],
  // RFC 9110 Authorization, and the bearer tokens of RFC 6750 without their header.
  authorization: [
    /authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:basic|bearer|token|digest|apikey)\s{1,4}(?<secret>[^\s"',]{6,})/dgi,
    /\bbearer\s{1,4}(?<secret>(?=[A-Za-z._~+/-]{0,200}[0-9])[A-Za-z0-9._~+/-]{20,}=*)/dgi,
    /\bx-api-key["']?\s{0,4}[:=]\s{0,4}["']?(?<secret>[^\s"',]{8,})/dgi,
  ],
  // A guess by a name. References to variables are let be.
  assignment: [
    /\b[A-Z0-9_]{0,64}(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)["']?\s{0,4}[=:]\s{0,4}["']?(?<secret>[^\s"'$<{,;][^\s"',;]{5,})/dg,
  ],
};
