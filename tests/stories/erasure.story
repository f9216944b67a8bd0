# Erasing removes personal data; it waits for open captures and refunds, and an order keeps its address until it is shipped.
story: erased at once where nothing is open
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  erase alice
  account alice is erased and forgotten
  stock Shirt: 1 available, 0 held, 0 sold
  reply to p1 is dropped
  post alice p2 "#BuyShirt" → not_linked
story: erasure waits for the capture, and only the parcel's address for the parcel
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  erase alice
  account alice is erasing and known
  gateway says paid to alice Shirt
  account alice is erased and forgotten
  order alice Shirt is unfulfilled to US
  ship alice Shirt
  order alice Shirt is shipped to nowhere
story: erasure waits for a refund
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  ship alice Shirt
  refund alice Shirt
  erase alice
  account alice is erasing and known
  bank gives back to alice Shirt
  account alice is erased and forgotten
story: no queued reply of an erased account is left
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyShirt" → already_pending
  erase alice
  outbox: 0
story: erased once more, while somebody else has the name by now
  offer Shirt: #BuyShirt, 2 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  erase alice
  link bob x as alice
  erase alice
  post alice p3 "#BuyShirt" → pending
