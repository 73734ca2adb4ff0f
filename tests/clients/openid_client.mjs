// npm openid-client through the whole protocol. Reads {issuer, portal, dpop, public, person, outsider} from
// its argument, prints what it saw as JSON.
import * as client from 'openid-client';
import { Browser } from './browser.mjs';

const told = JSON.parse(process.argv[2]);
const seen = {};
const insecure = { execute: [client.allowInsecureRequests] };
const callback = told.portal.redirect_uri;

async function authorized(config, browser, parameters = {}, options = {}, pushed = false) {
  const verifier = client.randomPKCECodeVerifier();
  const nonce = client.randomNonce();
  const state = client.randomState();
  const asked = {
    redirect_uri: callback,
    scope: 'openid profile email phone address offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
    ...parameters,
  };
  const url = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, asked, options)
    : client.buildAuthorizationUrl(config, asked);
  const back = await browser.visit(url, callback);
  const tokens = await client.authorizationCodeGrant(
    config,
    back,
    { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true },
    undefined,
    options,
  );
  return { tokens, back, verifier, nonce, state };
}

async function refused(action) {
  try {
    await action();
  } catch (error) {
    return error.error ?? error.code ?? String(error);
  }
  return 'accepted';
}

const config = await client.discovery(new URL(told.issuer), told.portal.client_id, { id_token_signed_response_alg: 'ES256' }, client.ClientSecretBasic(told.portal.client_secret), insecure);
const browser = new Browser(told.person);

const first = await authorized(config, browser);
const claims = first.tokens.claims();
seen.pages_first = browser.pages.splice(0);
seen.acr = claims.acr;
seen.userinfo = await client.fetchUserInfo(config, first.tokens.access_token, claims.sub);
seen.reuse = await refused(() => client.authorizationCodeGrant(config, first.back, { pkceCodeVerifier: first.verifier, expectedNonce: first.nonce, expectedState: first.state }));
seen.after_reuse = (await client.tokenIntrospection(config, first.tokens.access_token)).active;

const again = await authorized(config, browser);
seen.pages_again = browser.pages.splice(0);
seen.same_auth_time = again.tokens.claims().auth_time === claims.auth_time;
const introspected = await client.tokenIntrospection(config, again.tokens.access_token);
seen.introspection = { active: introspected.active, client_id: introspected.client_id, sub_is_ours: introspected.sub === claims.sub };

const refreshed = await client.refreshTokenGrant(config, again.tokens.refresh_token);
const repeated = await client.refreshTokenGrant(config, again.tokens.refresh_token);
seen.refresh_rotates = refreshed.refresh_token !== again.tokens.refresh_token;
seen.refresh_grace_same = repeated.refresh_token === refreshed.refresh_token;
await client.tokenRevocation(config, refreshed.refresh_token);
seen.after_revocation = await refused(() => client.refreshTokenGrant(config, refreshed.refresh_token));

const pushed = await authorized(config, browser, {}, {}, true);
seen.pushed = pushed.tokens.claims().sub === claims.sub;

seen.prompt_none = (await authorized(config, browser, { prompt: 'none', scope: 'openid' })).tokens.claims().sub === claims.sub;
seen.prompt_none_stranger = await refused(() => authorized(config, new Browser({}), { prompt: 'none' }));
browser.pages.length = 0;
const stepped = await authorized(config, browser, { max_age: '0', scope: 'openid' });
seen.pages_max_age = browser.pages.splice(0);
seen.auth_time_moved_or_same = stepped.tokens.claims().auth_time >= claims.auth_time;
seen.unmet = await refused(() =>
  authorized(config, browser, {
    scope: 'openid',
    claims: JSON.stringify({ id_token: { acr: { essential: true, value: told.highest } } }),
  }),
);
browser.pages.length = 0;
seen.claims_parameter = Object.keys(
  (await authorized(config, browser, { scope: 'openid', claims: JSON.stringify({ id_token: { email: null } }) })).tokens.claims(),
).includes('email');

const bound = await client.discovery(new URL(told.issuer), told.dpop.client_id, { id_token_signed_response_alg: 'ES256' }, client.ClientSecretPost(told.dpop.client_secret), insecure);
const DPoP = client.getDPoPHandle(bound, await client.randomDPoPKeyPair('ES256'));
const dpop = await authorized(bound, browser, { scope: 'openid profile' }, { DPoP }, true);
seen.token_type = dpop.tokens.token_type;
seen.dpop_userinfo = (await client.fetchUserInfo(bound, dpop.tokens.access_token, dpop.tokens.claims().sub, { DPoP })).sub === dpop.tokens.claims().sub;
seen.dpop_without_proof = await refused(() => client.fetchUserInfo(bound, dpop.tokens.access_token, dpop.tokens.claims().sub));

const end = client.buildEndSessionUrl(config, { id_token_hint: first.tokens.id_token, post_logout_redirect_uri: told.portal.post_logout_redirect_uri, state: 'bye' });
seen.logged_out = (await browser.visit(end, told.portal.post_logout_redirect_uri)).search;
seen.after_logout = await refused(() => authorized(config, browser, { prompt: 'none' }));
console.log(JSON.stringify(seen));
