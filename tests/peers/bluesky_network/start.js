// All of Bluesky on this machine only: the directory, a PDS, and an AppView that reads it, so that the PDS answers for
// notifications, search and timelines.
//
//     NODE_PATH=FOLDER/node_modules FOLDER/node -r ../bluesky/loopback.cjs start.js [PUBLIC_URL]
//
// FOLDER is what ../bluesky/setup made of the package.json here. It starts a Postgres and a Redis of its own on ports
// that are free, in a temporary folder; Debian's postgresql and redis-server have to be installed. PUBLIC_URL is where
// accounts say that their PDS can be reached: a proxy in front of it. It takes five to twenty seconds. Then it prints
//
//     READY {"pds": "http://127.0.0.1:...", "plc": "http://127.0.0.1:...", "appview": "http://127.0.0.1:..."}
//
// It ends when its standard input does, and takes everything along. Nothing is kept.
const { execFileSync, spawn } = require('child_process')
const fs = require('fs')
const net = require('net')
const os = require('os')
const path = require('path')

const HERE = '127.0.0.1'

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject)
    server.listen(0, HERE, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

// Waits until somebody listens; the server's end is an error.
const listens = (server, port) =>
  new Promise((resolve, reject) => {
    server.on('exit', (code) => reject(new Error(`${server.spawnfile} ended with ${code}`)))
    const ask = () =>
      net
        .connect(port, HERE, function () {
          this.destroy()
          resolve()
        })
        .on('error', () => setTimeout(ask, 50))
    ask()
  })

// Postgres does not run as root: then it runs as who it was installed for.
function postgresOwner() {
  if (process.getuid() !== 0) return {}
  const id = (what) => Number(execFileSync('id', [what, 'postgres']).toString())
  return { uid: id('-u'), gid: id('-g') }
}

function postgresPrograms() {
  const versions = '/usr/lib/postgresql'
  const newest = fs.existsSync(versions) ? fs.readdirSync(versions).sort((a, b) => b - a) : []
  const found = newest.map((version) => path.join(versions, version, 'bin')).filter((bin) => fs.existsSync(`${bin}/postgres`))
  return (name) => (found.length > 0 ? path.join(found[0], name) : name)
}

const children = []
let folder
let ending = false

function run(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder, ...options })
  children.push(child)
  return child
}

function end(code) {
  if (ending) return
  ending = true
  // What was under way fails now, as it should.
  process.on('uncaughtException', () => {})
  // A quick end of Postgres: it takes its own processes along.
  const alive = children.filter((child) => child.exitCode === null && child.signalCode === null)
  let left = alive.length
  const done = () => {
    if (folder) fs.rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  }
  for (const child of alive) {
    child.removeAllListeners('exit').on('exit', () => --left === 0 && done()).kill('SIGINT')
  }
  if (left === 0) done()
}

async function main() {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bluesky-network-'))
  fs.chmodSync(folder, 0o755)
  const scratch = path.join(folder, 'pds')
  fs.mkdirSync(scratch)
  // The servers keep their files where temporary files are.
  process.env.TMPDIR = scratch

  const owner = postgresOwner()
  const program = postgresPrograms()
  const data = path.join(folder, 'postgres')
  fs.mkdirSync(data)
  if (owner.uid !== undefined) fs.chownSync(data, owner.uid, owner.gid)
  execFileSync(program('initdb'), ['-D', data, '-U', 'till', '-A', 'trust', '--no-sync'], { ...owner, cwd: data, stdio: 'pipe' })
  const [postgresPort, redisPort] = [await freePort(), await freePort()]
  const settings = [`listen_addresses=${HERE}`, 'unix_socket_directories=', 'fsync=off', `port=${postgresPort}`]
  const postgres = run(program('postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], owner)
  const redis = run('redis-server', ['--bind', HERE, '--port', `${redisPort}`, '--save', '', '--appendonly', 'no'])
  await Promise.all([listens(postgres, postgresPort), listens(redis, redisPort)])

  process.env.REDIS_HOST = `${HERE}:${redisPort}`
  process.env.LOG_ENABLED ??= 'false'
  const { TestNetwork } = require('@atproto/dev-env')
  const network = await TestNetwork.create({
    dbPostgresUrl: `postgresql://till@${HERE}:${postgresPort}/postgres`,
    dbPostgresSchema: 'network',
  })
  const at = (server) => `http://${HERE}:${server.port}`
  const { identity, service } = network.pds.ctx.cfg
  service.publicUrl = process.argv[2] ?? at(network.pds)
  identity.enableDidDocWithSession = true
  const urls = { pds: at(network.pds), plc: at(network.plc), appview: at(network.bsky) }
  console.log(`READY ${JSON.stringify(urls)}`)
}

process.stdin.on('end', () => end(0)).resume()
process.on('SIGTERM', () => end(0)).on('SIGINT', () => end(0))
main().catch((error) => {
  if (!ending) console.error(error)
  end(1)
})
