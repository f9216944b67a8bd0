// Loaded before a server that cannot be told where to listen: what names no host listens on this machine only.
//
//     node -r ./loopback.cjs SERVER
const net = require('net')

const HERE = '127.0.0.1'
const listen = net.Server.prototype.listen

net.Server.prototype.listen = function (first, ...rest) {
  if (first !== null && typeof first === 'object') {
    const named = first.host !== undefined || first.port === undefined
    return listen.call(this, named ? first : { ...first, host: HERE }, ...rest)
  }
  if (first === undefined || typeof first === 'function') {
    return listen.call(this, 0, HERE, ...[first, ...rest].filter(Boolean))
  }
  if (typeof rest[0] === 'string' || Number.isNaN(Number(first))) return listen.call(this, first, ...rest)
  return listen.call(this, first, HERE, ...rest.filter((argument) => argument !== undefined && argument !== null))
}
