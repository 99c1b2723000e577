// A certified OpenID provider with the clients and people of the tests: node issuer.mjs SETTINGS.json
//
// It lists its own page for logging in, which takes any password: whom it lets in is not what is tested.
import { readFileSync, writeFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));

function newKey(algorithm) {
  const made =
    algorithm === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : algorithm === "ES256"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("ed25519");
  const kid = `${algorithm}-${Math.random().toString(36).slice(2)}`;
  return { ...made.privateKey.export({ format: "jwk" }), use: "sig", kid, alg: algorithm };
}

const page = {
  client_id: "medley",
  client_secret: settings.client_secret,
  redirect_uris: [`${settings.server_url}/v1/login/callback`],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  id_token_signed_response_alg: settings.algorithm,
};
const command = {
  client_id: "medley-command",
  token_endpoint_auth_method: "none",
  application_type: "native",
  redirect_uris: [],
  response_types: [],
  grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
  id_token_signed_response_alg: settings.algorithm,
};

const provider = new Provider(settings.issuer, {
  clients: [page, command],
  jwks: { keys: [newKey("RS256"), newKey("ES256"), newKey("EdDSA")] },
  cookies: { keys: ["not a secret"] },
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email"] },
  conformIdTokenClaims: false,
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  pkce: { required: () => true },
  ttl: { IdToken: settings.id_token_s, DeviceCode: settings.device_code_s },
  rotateRefreshToken: true,
  findAccount: async (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, preferred_username: id, email: `${id}@example.com`, groups: settings.groups[id] ?? [] }),
  }),
});

const server = provider.listen(Number(new URL(settings.issuer).port), "127.0.0.1", () => {
  writeFileSync(1, "ready\n");
});
process.on("SIGTERM", () => {
  server.closeAllConnections();
  process.exit(0);
});
