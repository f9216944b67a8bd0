// A Bluesky PDS and its PLC directory, the real programs, on this machine only.
//
//     NODE_PATH=FOLDER/node_modules FOLDER/node -r ./loopback.cjs start.js DATA [PDS_PORT [PLC_PORT [PUBLIC_URL]]]
//
// FOLDER is what `setup` made. Ports that are 0 or left out are chosen. PUBLIC_URL is where the PDS says that it can be
// reached, in its accounts' documents too: a proxy in front of it. Once both answer, it prints
//
//     READY {"pds": "http://127.0.0.1:...", "plc": "http://127.0.0.1:..."}
//
// Everything is in DATA: started again on it and on the same ports, it has lost nothing, however it ended. It ends when
// its standard input does, so that it does not outlive a test that was killed.
//
// There is no AppView, so what needs one (notifications, search, timelines) is answered with 502. The rate limits of
// the network are off.
const fs = require('fs')
const net = require('net')
const path = require('path')

process.env.LOG_ENABLED ??= 'false'
const { PDS, envToCfg, envToSecrets } = require('@atproto/pds')
const { Database, PlcServer } = require('@did-plc/server')

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

// The directory's own store for trying it is in memory: what it took is noted in a file and told to it again.
async function directory(file) {
  const store = Database.mock()
  const take = store.validateAndAddOp.bind(store)
  const noted = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []
  // Killed while it wrote, the last line is not whole: nobody was told that it was taken.
  for (const line of noted.slice(0, -1)) {
    const { did, operation } = JSON.parse(line)
    await take(did, operation)
  }
  fs.writeFileSync(`${file}.new`, noted.slice(0, -1).map((line) => `${line}\n`).join(''))
  fs.renameSync(`${file}.new`, file)
  store.validateAndAddOp = async (did, operation) => {
    await take(did, operation)
    fs.appendFileSync(file, `${JSON.stringify({ did, operation })}\n`)
  }
  return store
}

async function main() {
  const [data, pdsPort, plcPort, publicUrl] = process.argv.slice(2)
  fs.mkdirSync(data, { recursive: true })
  const port = Number(pdsPort) || (await freePort())
  const directoryPort = Number(plcPort) || (await freePort())
  const plc = PlcServer.create({ db: await directory(path.join(data, 'plc.ndjson')), port: directoryPort })
  await plc.start()

  const env = {
    devMode: true,
    hostname: 'localhost',
    port,
    dataDirectory: data,
    blobstoreDiskLocation: path.join(data, 'blobs'),
    serviceHandleDomains: ['.test'],
    didPlcUrl: `http://127.0.0.1:${directoryPort}`,
    inviteRequired: false,
    rateLimitsEnabled: false,
    disableSsrfProtection: true,
    enableDidDocWithSession: true,
    crawlers: [],
    bskyAppViewUrl: 'https://appview.invalid',
    bskyAppViewDid: 'did:example:appview',
    modServiceUrl: 'https://moderation.invalid',
    modServiceDid: 'did:example:moderation',
    // Known to everybody who reads this: nothing but tests trusts these.
    adminPassword: 'admin-for-tests',
    jwtSecret: 'a-secret-for-tests',
    plcRotationKeyK256PrivateKeyHex: '11'.repeat(32),
  }
  const config = envToCfg(env)
  config.service.publicUrl = publicUrl ?? `http://127.0.0.1:${port}`
  const pds = await PDS.create(config, envToSecrets(env))
  await pds.start()

  const urls = { pds: `http://127.0.0.1:${port}`, plc: `http://127.0.0.1:${directoryPort}` }
  console.log(`READY ${JSON.stringify(urls)}`)
}

process.stdin.on('end', () => process.exit(0)).resume()
main().catch((error) => {
  console.error(error)
  process.exit(1)
})
