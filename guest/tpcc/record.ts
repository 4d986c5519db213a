// The eleven trees of TPC-C: their keys, and their records byte by byte. Numbers are little-endian; money is
// in hundredths, taxes and discounts are in ten-thousandths, dates in ms, 0 = null. `text n` is a length byte
// and n bytes.
//
//   tree            key                                      record
//   WAREHOUSE       w                                        W_*
//   DISTRICT        w, d                                     D_*
//   CUSTOMER        w, d, c                                  C_*
//   CUSTOMER_NAME   w, d, last name, 0, first name, 0, c     nothing
//   HISTORY         vCPU, number                             H_*
//   NEW_ORDER       w, d, o                                  nothing
//   ORDER           w, d, o                                  O_*
//   CUSTOMER_ORDER  w, d, c, o                               nothing
//   ORDER_LINE      w, d, o, number                          OL_*
//   ITEM            i                                        I_*
//   STOCK           w, i                                     S_*
//
// In a key w, c and vCPU have 2 bytes, d and the number of a line 1, o, i and the number of a history 4,
// big-endian. What transactions read comes first in a record, so that they copy no more than that.

export const WAREHOUSE: u32 = 0;
export const DISTRICT: u32 = 1;
export const CUSTOMER: u32 = 2;
export const CUSTOMER_NAME: u32 = 3;
export const HISTORY: u32 = 4;
export const NEW_ORDER: u32 = 5;
export const ORDER: u32 = 6;
export const CUSTOMER_ORDER: u32 = 7;
export const ORDER_LINE: u32 = 8;
export const ITEM: u32 = 9;
export const STOCK: u32 = 10;
export const TREES: u32 = 11;

export const DISTRICTS: u32 = 10; // of a warehouse
export const CUSTOMERS: u32 = 3000; // of a district, and its orders at load
export const ITEMS: u32 = 100000;
export const LINES_MAX: u32 = 15;
export const DELIVERED_AT_LOAD: u32 = 2100; // orders of a district

export const W_YTD: u32 = 0; // i64
export const W_TAX: u32 = 8; // u32
export const W_NAME: u32 = 12; // text 10
export const W_STREET: u32 = 23; // text 20, twice; then city: text 20, state: 2 letters, code: 9 digits
export const W_BYTES: u32 = 97;

export const D_YTD: u32 = 0; // i64
export const D_NEXT: u32 = 8; // u32, number of the next order
export const D_TAX: u32 = 12; // u32
export const D_NAME: u32 = 16; // text 10
export const D_STREET: u32 = 27; // text 20, twice; then city: text 20, state: 2 letters, code: 9 digits
export const D_BYTES: u32 = 101;

export const C_BALANCE: u32 = 0; // i64
export const C_YTD_PAYMENT: u32 = 8; // i64
export const C_PAYMENTS: u32 = 16; // u32
export const C_DELIVERIES: u32 = 20; // u32
export const C_DISCOUNT: u32 = 24; // u32
export const C_CREDIT_LIMIT: u32 = 28; // i64
export const C_SINCE: u32 = 36; // i64
export const C_CREDIT: u32 = 44; // "GC" or "BC"
export const C_LAST: u32 = 46; // text 16
export const C_FIRST: u32 = 63; // text 16
export const C_MIDDLE: u32 = 80; // 2 letters
export const C_STREET: u32 = 82; // text 20, twice; then city: text 20, state: 2 letters, code: 9 digits
export const C_PHONE: u32 = 156; // 16 digits
export const C_DATA_BYTES: u32 = 172; // u16
export const C_DATA: u32 = 174; // C_DATA_MAX bytes
export const C_DATA_MAX: u32 = 500;
export const C_BYTES: u32 = 674;

export const H_DATE: u32 = 0; // i64
export const H_AMOUNT: u32 = 8; // i64
export const H_C_W: u32 = 16; // u16
export const H_C: u32 = 18; // u16
export const H_C_D: u32 = 20; // u8
export const H_D: u32 = 21; // u8
export const H_W: u32 = 22; // u16
export const H_DATA: u32 = 24; // text 24
export const H_BYTES: u32 = 49;

export const O_ENTRY: u32 = 0; // i64
export const O_C: u32 = 8; // u16
export const O_CARRIER: u32 = 10; // u8, 0 = null
export const O_LINES: u32 = 11; // u8
export const O_LOCAL: u32 = 12; // u8
export const O_BYTES: u32 = 13;

export const OL_DELIVERY: u32 = 0; // i64
export const OL_AMOUNT: u32 = 8; // i64
export const OL_I: u32 = 16; // u32
export const OL_SUPPLY_W: u32 = 20; // u16
export const OL_QUANTITY: u32 = 22; // u8
export const OL_DIST: u32 = 23; // 24 letters
export const OL_BYTES: u32 = 47;

export const I_PRICE: u32 = 0; // i64
export const I_IMAGE: u32 = 8; // u32
export const I_NAME: u32 = 12; // text 24
export const I_DATA: u32 = 37; // text 50
export const I_BYTES: u32 = 88;

export const S_QUANTITY: u32 = 0; // i32
export const S_ORDERS: u32 = 4; // u32
export const S_REMOTE: u32 = 8; // u32
export const S_YTD: u32 = 12; // i64
export const S_DIST: u32 = 20; // 24 letters for each district
export const S_DATA: u32 = 260; // text 50
export const S_BYTES: u32 = 311;

export const DIST_BYTES: u32 = 24;
