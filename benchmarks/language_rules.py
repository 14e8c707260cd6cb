"""What a person who knows manuals would look for, in ten languages: class → labelling function → keywords.

Words stand in the form that a dictionary has. They were written down before any page was looked at.
"""

RULES: dict[str, dict[str, dict[str, str]]] = {
    "de": {
        "program": {
            "tool": "Befehl, Programm, Werkzeug, Skript, Hilfsprogramm",
            "use": "anzeigen, ausgeben, auflisten, kopieren, umwandeln, Standardausgabe, Standardeingabe",
            "system": "Systemverwalter, Daemon, Dienst, installieren, Paket",
        },
        "function": {
            "call": "Funktion, Systemaufruf, Makro",
            "value": "zurückgeben, zurückliefern, Zeiger, Zeichenkette, Puffer, Argument",
            "kernel": "Prozess, Thread, Dateideskriptor, Speicher, Signal, Socket",
        },
        "other": {
            "file": "Dateiformat, Konfigurationsdatei, Format, Konfiguration",
            "standard": "Zeichensatz, Standard, Norm, Überblick, Konvention",
            "device": "Gerät, Treiber, Schnittstelle, Protokoll",
        },
    },
    "es": {
        "program": {
            "tool": "orden, programa, herramienta, script, utilidad, comando",
            "use": "mostrar, listar, copiar, convertir, salida estándar, entrada estándar, línea de órdenes",
            "system": "administrador, demonio, servicio, instalar, paquete",
        },
        "function": {
            "call": "función, llamada al sistema, macro",
            "value": "devolver, puntero, cadena, búfer, argumento",
            "kernel": "proceso, hilo, descriptor de fichero, memoria, señal, socket",
        },
        "other": {
            "file": "formato de fichero, fichero de configuración, formato, configuración",
            "standard": "conjunto de caracteres, estándar, norma, introducción, convención",
            "device": "dispositivo, controlador, interfaz, protocolo",
        },
    },
    "fr": {
        "program": {
            "tool": "commande, programme, outil, script, utilitaire",
            "use": "afficher, lister, copier, convertir, sortie standard, entrée standard, ligne de commande",
            "system": "administrateur, démon, service, installer, paquet",
        },
        "function": {
            "call": "fonction, appel système, macro",
            "value": "renvoyer, pointeur, chaîne, tampon, argument",
            "kernel": "processus, thread, descripteur de fichier, mémoire, signal, socket",
        },
        "other": {
            "file": "format de fichier, fichier de configuration, format, configuration",
            "standard": "jeu de caractères, norme, standard, présentation, convention",
            "device": "périphérique, pilote, interface, protocole",
        },
    },
    "ja": {
        "program": {
            "tool": "コマンド, プログラム, ツール, スクリプト, ユーティリティ",
            "use": "表示, 一覧, コピー, 変換, 標準出力, 標準入力, コマンドライン",
            "system": "管理者, デーモン, サービス, インストール, パッケージ",
        },
        "function": {
            "call": "関数, システムコール, マクロ",
            "value": "返す, ポインタ, ポインター, 文字列, バッファ, 引数",
            "kernel": "プロセス, スレッド, ファイルディスクリプター, メモリ, シグナル, ソケット",
        },
        "other": {
            "file": "書式, 設定ファイル, ファイル形式, 設定",
            "standard": "文字集合, 文字セット, 規格, 標準, 概要",
            "device": "デバイス, ドライバー, ドライバ, インターフェース, プロトコル",
        },
    },
    "nl": {
        "program": {
            "tool": "opdracht, programma, gereedschap, script, hulpprogramma",
            "use": "tonen, weergeven, kopiëren, omzetten, standaarduitvoer, standaardinvoer, opdrachtregel",
            "system": "systeembeheerder, daemon, dienst, installeren, pakket",
        },
        "function": {
            "call": "functie, systeemaanroep, macro",
            "value": "teruggeven, retourneren, wijzer, tekenreeks, buffer, argument",
            "kernel": "proces, thread, bestandsindicator, geheugen, signaal, socket",
        },
        "other": {
            "file": "bestandsformaat, configuratiebestand, formaat, instelling",
            "standard": "tekenset, norm, standaard, overzicht, conventie",
            "device": "apparaat, stuurprogramma, interface, protocol",
        },
    },
    "pl": {
        "program": {
            "tool": "polecenie, program, narzędzie, skrypt",
            "use": "wyświetlać, wypisywać, kopiować, konwertować, standardowe wyjście, standardowe wejście",
            "system": "administrator, demon, usługa, instalować, pakiet",
        },
        "function": {
            "call": "funkcja, wywołanie systemowe, makro",
            "value": "zwracać, wskaźnik, łańcuch, bufor, argument",
            "kernel": "proces, wątek, deskryptor pliku, pamięć, sygnał, gniazdo",
        },
        "other": {
            "file": "format pliku, plik konfiguracyjny, format, konfiguracja",
            "standard": "zestaw znaków, norma, standard, przegląd, konwencja",
            "device": "urządzenie, sterownik, interfejs, protokół",
        },
    },
    "pt": {
        "program": {
            "tool": "comando, programa, ferramenta, script, utilitário",
            "use": "mostrar, exibir, listar, copiar, converter, saída padrão, entrada padrão",
            "system": "administrador, daemon, serviço, instalar, pacote",
        },
        "function": {
            "call": "função, chamada de sistema, macro",
            "value": "retornar, ponteiro, string, buffer, argumento",
            "kernel": "processo, thread, descritor de arquivo, memória, sinal, socket",
        },
        "other": {
            "file": "formato de arquivo, arquivo de configuração, formato, configuração",
            "standard": "conjunto de caracteres, norma, padrão, introdução, convenção",
            "device": "dispositivo, driver, interface, protocolo",
        },
    },
    "ru": {
        "program": {
            "tool": "команда, программа, утилита, скрипт, инструмент",
            "use": "показывать, выводить, копировать, преобразовывать, стандартный вывод, стандартный ввод",
            "system": "администратор, демон, служба, устанавливать, пакет",
        },
        "function": {
            "call": "функция, системный вызов, макрос",
            "value": "возвращать, указатель, строка, буфер, аргумент",
            "kernel": "процесс, нить, файловый дескриптор, память, сигнал, сокет",
        },
        "other": {
            "file": "формат файла, файл настройки, формат, настройка",
            "standard": "набор символов, стандарт, кодировка, обзор, соглашение",
            "device": "устройство, драйвер, интерфейс, протокол",
        },
    },
    "tr": {
        "program": {
            "tool": "komut, program, araç, betik, uygulama",
            "use": "göstermek, listelemek, kopyalamak, basmak, standart çıktı, standart girdi",
            "system": "sistem yöneticisi, hizmet, kurmak, paket, artalan süreci",
        },
        "function": {
            "call": "işlev, sistem çağrısı, makro",
            "value": "döndürmek, gösterici, dizge, tampon, argüman",
            "kernel": "süreç, iş parçacığı, dosya tanıtıcı, bellek, sinyal, soket",
        },
        "other": {
            "file": "dosya biçimi, yapılandırma dosyası, biçim, yapılandırma",
            "standard": "karakter kümesi, standart, genel bakış",
            "device": "aygıt, sürücü, arayüz, protokol",
        },
    },
    "zh": {
        "program": {
            "tool": "命令, 程序, 工具, 脚本",
            "use": "显示, 列出, 复制, 转换, 标准输出, 标准输入, 命令行",
            "system": "管理员, 守护进程, 服务, 安装, 软件包",
        },
        "function": {
            "call": "函数, 系统调用, 宏",
            "value": "返回, 指针, 字符串, 缓冲区, 参数",
            "kernel": "进程, 线程, 文件描述符, 内存, 信号, 套接字",
        },
        "other": {
            "file": "文件格式, 配置文件, 格式, 配置",
            "standard": "字符集, 标准, 概述, 约定",
            "device": "设备, 驱动, 接口, 协议",
        },
    },
}


def keywords(language: str) -> dict[str, tuple[str, list[str]]]:
    """Name of a labelling function → the class that it votes for, and its keywords."""
    return {
        f"{label}_{name}": (label, [word.strip() for word in words.split(",")])
        for label, rules in RULES[language].items()
        for name, words in rules.items()
    }
