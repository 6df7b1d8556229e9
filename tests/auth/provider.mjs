// A certified OpenID provider with the routes of Entra, or with those of AD FS.
//
//   node provider.mjs FOLDER entra|ad-fs CERTIFICATE [ENVIRONMENT]
//
// FOLDER holds node_modules with oidc-provider. Prints its port when it is ready. Everybody who comes is Anna, who
// agrees to everything; a device code is agreed to at /agree?user_code=….

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, kind, certificate, elsewhere] = process.argv.slice(2);
const entry = join(folder, 'node_modules', 'oidc-provider', 'lib', 'index.js');
const { default: Provider, errors } = await import(pathToFileURL(entry));
// It warns of what is only for development, and this is.
console.info = () => {};
console.warn = () => {};

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const root = kind === 'entra' ? '/tenant-1/oauth2/v2.0' : '/adfs/oauth2';
// Without an address of its own the environment is here.
const environment = elsewhere ?? issuer;
const scopes = ['openid', 'offline_access', `${environment}/.default`, `${environment}/user_impersonation`];
const key = new X509Certificate(readFileSync(certificate)).publicKey.export({ format: 'jwk' });

const application = {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope: scopes.join(' '),
};
const provider = new Provider(issuer, {
  clients: [
    {
      ...application,
      client_id: 'with-secret',
      client_secret: 'canary~+&= of at least thirty-two characters',
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      ...application,
      client_id: 'with-certificate',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...key, use: 'sig' }] },
    },
    {
      client_id: 'public',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      redirect_uris: ['http://localhost'],
      response_types: ['code'],
      scope: scopes.join(' '),
    },
  ],
  clientAuthMethods: ['none', 'client_secret_post', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256'] },
  scopes,
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    // An environment elsewhere asks here whether a token is good.
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
    // AD FS knows the environment by a parameter of its own, and refuses any other.
    resourceIndicators: {
      enabled: kind === 'ad-fs',
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== `${issuer}/`) throw new errors.InvalidTarget();
        return { scope: scopes.join(' '), accessTokenFormat: 'opaque' };
      },
    },
  },
  routes: {
    authorization: `${root}/authorize`,
    token: `${root}/token`,
    device_authorization: `${root}/devicecode`,
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
});

async function agreed(clientId, { scope, resource }) {
  const grant = new provider.Grant({ accountId: 'anna', clientId });
  grant.addOIDCScope(scope);
  if (resource) grant.addResourceScope(resource, scope);
  return grant.save();
}

provider.use(async (ctx, next) => {
  if (ctx.path === `${root}/authorize`) {
    // Without it this provider leaves offline_access out, which Entra does not.
    ctx.query = { ...ctx.query, prompt: 'consent' };
  }
  if (ctx.path.startsWith('/interaction/')) {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const grantId = await agreed(params.client_id, params);
    const result = { login: { accountId: 'anna' }, consent: { grantId } };
    await provider.interactionFinished(ctx.req, ctx.res, result);
    ctx.respond = false;
  } else if (ctx.path === '/agree') {
    const userCode = ctx.query.user_code.replace(/[^A-Z0-9]/gi, '').toUpperCase();
    const code = await provider.DeviceCode.findByUserCode(userCode);
    const { scope } = code.params;
    Object.assign(code, { accountId: 'anna', scope, grantId: await agreed(code.clientId, code.params) });
    await code.save();
    ctx.status = 204;
  } else {
    await next();
  }
});

server.on('request', provider.callback());
process.stdout.write(`${server.address().port}\n`);
