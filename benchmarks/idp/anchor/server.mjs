// npm oidc-provider with its in-memory store and development pages, set up for the benchmark's flows.
import { generateKeyPair, exportJWK } from 'jose';
import Provider from 'oidc-provider';

const [port] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const api = 'urn:bench:api';
const keys = await Promise.all(
  ['ES256', 'RS256'].map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: alg };
  }),
);

const provider = new Provider(issuer, {
  jwks: { keys },
  clients: [
    {
      client_id: 'machine',
      client_secret: 'bench-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    {
      client_id: 'portal',
      client_secret: 'bench-secret',
      redirect_uris: ['http://127.0.0.1:1/callback'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // The portal's tokens are for userinfo, the machine's for an API.
      defaultResource: (ctx) => (ctx.oidc.client.clientId === 'machine' ? api : undefined),
      getResourceServerInfo: (ctx) => ({
        scope: 'read openid',
        audience: api,
        // Introspection is measured on opaque tokens, as this provider introspects no JWT.
        accessTokenFormat: ctx.oidc.params.scope === 'read' ? 'jwt' : 'opaque',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  findAccount: async (_, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
  cookies: { keys: ['bench'] },
});

provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
