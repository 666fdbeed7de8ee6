/** Distributions by the import names that differ from theirs. The most exact name wins: `google.protobuf` before `google`. */
export const distributions: Readonly<Record<string, string>> = {
  Bio: 'biopython',
  Crypto: 'pycryptodome',
  Cryptodome: 'pycryptodomex',
  MySQLdb: 'mysqlclient',
  OpenSSL: 'pyopenssl',
  PIL: 'pillow',
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  community: 'python-louvain',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  discord: 'discord-py',
  dns: 'dnspython',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  faiss: 'faiss-cpu',
  ffmpeg: 'ffmpeg-python',
  fitz: 'pymupdf',
  git: 'gitpython',
  github: 'pygithub',
  gitlab: 'python-gitlab',
  'google.cloud.bigquery': 'google-cloud-bigquery',
  'google.cloud.storage': 'google-cloud-storage',
  'google.genai': 'google-genai',
  'google.generativeai': 'google-generativeai',
  'google.protobuf': 'protobuf',
  googleapiclient: 'google-api-python-client',
  grpc: 'grpcio',
  imblearn: 'imbalanced-learn',
  jose: 'python-jose',
  jwt: 'pyjwt',
  kafka: 'kafka-python',
  magic: 'python-magic',
  mpl_toolkits: 'matplotlib',
  multipart: 'python-multipart',
  nacl: 'pynacl',
  odf: 'odfpy',
  paho: 'paho-mqtt',
  pdfminer: 'pdfminer-six',
  pkg_resources: 'setuptools',
  pptx: 'python-pptx',
  psycopg2: 'psycopg2-binary',
  pylab: 'matplotlib',
  pywt: 'pywavelets',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  slugify: 'python-slugify',
  snowflake: 'snowflake-connector-python',
  socks: 'pysocks',
  speech_recognition: 'speechrecognition',
  telegram: 'python-telegram-bot',
  tlz: 'toolz',
  umap: 'umap-learn',
  usb: 'pyusb',
  websocket: 'websocket-client',
  yaml: 'pyyaml',
  zmq: 'pyzmq',
};

/** Well-known packages that are imported by their own name, but for `-` and `_`. */
export const wellKnown: readonly string[] = words(`
  IPython Levenshtein PyPDF2 aiofiles aiohttp altair anthropic anyio arrow asyncpg babel black bokeh boto3 botocore bottleneck bottle cairosvg
  cartopy catboost celery certifi cffi chardet chromadb click cloudpickle colorama contourpy cryptography cvxpy cycler cython
  dash dash_bootstrap_components dask datasets deap decorator django duckdb emoji fabric faker fastapi fastparquet feedparser filelock flask flask_cors flask_sqlalchemy folium
  fsspec gensim geopandas geopy gradio graphviz gunicorn h5py holidays hypothesis httpx httpcore humanize ibis igraph
  idna imageio ipywidgets isodate jax jieba jinja2 joblib jsonpath_ng jsonschema jupyter kaleido keras kiwisolver langchain
  lifelines lightgbm llvmlite loguru lxml lz4 mako markdown markdown2 markdownify markupsafe marshmallow matplotlib mido missingno
  more_itertools moviepy mpmath msgpack mypy natsort nbformat netCDF4 networkx nltk numba numexpr numpy numpy_financial
  openai openpyxl optuna orjson packaging pandas paramiko parso patsy peewee pendulum pexpect phonenumbers pingouin
  plotly plotnine pluggy polars prettytable prophet psutil psycopg pulp pyarrow pycountry pydantic pydot pydub pygame pygments
  pymongo pymysql pyparsing pypdf pyproj pyqrcode pyspark pytest python_calamine pytz qrcode rasterio
  rdflib redis regex reportlab requests requests_cache rich ruptures s3fs scipy scrapy seaborn selenium sentence_transformers setuptools shap shapely
  simpy six sortedcontainers spacy sqlalchemy sqlglot sqlmodel squarify starlette statsmodels streamlit svgwrite
  sympy tabulate tenacity tensorflow termcolor textblob textdistance textstat threadpoolctl tiktoken tokenizers toml tomli toolz torch
  torchvision tornado tqdm transformers trio typer typing_extensions tzdata tzlocal ujson unidecode urllib3 uvicorn vaex validators
  watchdog weasyprint websockets werkzeug wordcloud wrapt xarray xgboost xlrd xlsxwriter xlwt xmltodict yfinance zstandard
`);

/** What people take for import names and is neither one nor the name of a distribution. */
export const misnomers: Readonly<Record<string, string>> = {
  BeautifulSoup: 'bs4',
  beautifulsoup: 'bs4',
  opencv: 'cv2',
  scikit: 'sklearn',
  Image: 'PIL',
  protobuf: 'google.protobuf',
};

/** Modules of Python's standard library that 3.13 does not have, and what does their work. */
export const formerModules: Readonly<Record<string, { gone: string; instead: string }>> = {
  ...former('Python 3.12', {
    asynchat: 'asyncio',
    asyncore: 'asyncio',
    distutils: 'sysconfig, shutil or subprocess',
    imp: 'importlib',
    smtpd: 'smtplib to send mail',
  }),
  ...former('Python 3.13', {
    aifc: 'wave',
    audioop: 'numpy',
    cgi: 'urllib.parse and email',
    cgitb: 'traceback',
    chunk: 'struct',
    crypt: 'hashlib',
    imghdr: 'PIL',
    lib2to3: 'ast',
    mailcap: 'mimetypes',
    nntplib: 'socket',
    pipes: 'subprocess',
    sndhdr: 'wave',
    sunau: 'wave',
    telnetlib: 'socket',
    uu: 'base64',
    xdrlib: 'struct',
  }),
  ...former('Python 3', {
    ConfigParser: 'configparser',
    HTMLParser: 'html.parser',
    Queue: 'queue',
    StringIO: 'io',
    Tkinter: 'tkinter',
    __builtin__: 'builtins',
    cPickle: 'pickle',
    cStringIO: 'io',
    commands: 'subprocess',
    cookielib: 'http.cookiejar',
    httplib: 'http.client',
    md5: 'hashlib',
    sets: 'set',
    sha: 'hashlib',
    thread: 'threading',
    urllib2: 'urllib.request',
    urlparse: 'urllib.parse',
  }),
};

/** Modules of the standard library that somebody may mean. */
export const standardModules: readonly string[] = words(`
  abc argparse array ast asyncio atexit base64 binascii bisect builtins bz2 calendar cmath cmd code codecs collections
  colorsys concurrent configparser contextlib contextvars copy csv ctypes curses dataclasses datetime dbm decimal
  difflib dis doctest email enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc
  getopt getpass gettext glob graphlib gzip hashlib heapq hmac html http imaplib importlib inspect io ipaddress
  itertools json keyword linecache locale logging lzma mailbox marshal math mimetypes mmap multiprocessing
  numbers operator os pathlib pdb pickle pickletools pkgutil platform plistlib poplib pprint profile pstats pty queue quopri
  random re readline reprlib resource sched secrets select selectors shelve shlex shutil signal site smtplib
  socket socketserver sqlite3 ssl stat statistics string struct subprocess symtable sys sysconfig syslog tarfile tempfile
  textwrap threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc turtle types typing
  unicodedata unittest urllib uuid venv warnings wave weakref webbrowser xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
`);

function former(gone: string, modules: Record<string, string>) {
  return Object.fromEntries(Object.entries(modules).map(([name, instead]) => [name, { gone, instead }]));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
